// Vectors of SYNTH_WIDTH floats or integers: the one thing that differs between SIMD levels. Every operation gives the
// same bits at every width. Width 1 is plain C.
#pragma once
#include <stdint.h>

// Who only looks at the state computes nothing.
#ifndef SYNTH_WIDTH
#define SYNTH_WIDTH 1
#endif

#if SYNTH_WIDTH > 1 && defined(__SSE2__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline, unused))

#if SYNTH_WIDTH == 1
typedef float vf;
typedef int32_t vi;
typedef uint32_t vu;
#else
typedef float vf __attribute__((vector_size(SYNTH_WIDTH * 4)));
typedef int32_t vi __attribute__((vector_size(SYNTH_WIDTH * 4)));
typedef uint32_t vu __attribute__((vector_size(SYNTH_WIDTH * 4)));
#endif

#if SYNTH_WIDTH > 1
typedef float v4 __attribute__((vector_size(16)));

// Lanes 4 n .. 4 n + 3.
#define vf_four(x, n) __builtin_shufflevector(x, x, 4 * (n), 4 * (n) + 1, 4 * (n) + 2, 4 * (n) + 3)
#endif

// Memory is aligned to the vector: lanes begin at multiples of 64 bytes.
INLINE vf vf_load(const float *from)
{
    vf x;
    __builtin_memcpy(&x, __builtin_assume_aligned(from, sizeof x), sizeof x);
    return x;
}

// The same of memory that is aligned to floats.
INLINE vf vf_load_anywhere(const float *from)
{
    vf x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

INLINE void vf_store(float *to, vf x)
{
    __builtin_memcpy(__builtin_assume_aligned(to, sizeof x), &x, sizeof x);
}

INLINE vu vu_load(const uint32_t *from)
{
    vu x;
    __builtin_memcpy(&x, __builtin_assume_aligned(from, sizeof x), sizeof x);
    return x;
}

INLINE void vu_store(uint32_t *to, vu x)
{
    __builtin_memcpy(__builtin_assume_aligned(to, sizeof x), &x, sizeof x);
}

INLINE vf vf_set(float x)
{
    return x - (vf){0};
}

INLINE vu vu_set(uint32_t x)
{
    return x + (vu){0};
}

// The same bits, read as the other type.
INLINE vu vu_bits(vf x)
{
    vu y;
    __builtin_memcpy(&y, &x, sizeof y);
    return y;
}

INLINE vf vf_bits(vu x)
{
    vf y;
    __builtin_memcpy(&y, &x, sizeof y);
    return y;
}

// Signed integer to float, rounded to nearest.
INLINE vf vf_from(vu x)
{
#if SYNTH_WIDTH == 1
    return (float)(int32_t)x;
#else
    return __builtin_convertvector((vi)x, vf);
#endif
}

// Towards zero; |x| < 2^31.
INLINE vu vu_from(vf x)
{
#if SYNTH_WIDTH == 1
    return (uint32_t)(int32_t)x;
#else
    return (vu)__builtin_convertvector(x, vi);
#endif
}

// All bits where a < b, else none.
INLINE vu vf_less(vf a, vf b)
{
#if SYNTH_WIDTH == 1
    return a < b ? UINT32_MAX : 0;
#else
    return (vu)(a < b);
#endif
}

// All bits where the lane's word is not 0.
INLINE vu vu_nonzero(vu x)
{
#if SYNTH_WIDTH == 1
    return x ? UINT32_MAX : 0;
#else
    return (vu)(x != 0);
#endif
}

// All bits where the highest bit is set.
INLINE vu vu_negative(vu x)
{
    return (vu)((vi)x >> 31);
}

INLINE vf vf_select(vu mask, vf yes, vf no)
{
    return vf_bits((vu_bits(yes) & mask) | (vu_bits(no) & ~mask));
}

INLINE vu vu_select(vu mask, vu yes, vu no)
{
    return (yes & mask) | (no & ~mask);
}

// a > b ? a : b, and a < b ? a : b; the instructions mean exactly that, zeros and NaN included.
INLINE vf vf_max(vf a, vf b)
{
#if SYNTH_WIDTH == 1
    return a > b ? a : b;
#elif SYNTH_WIDTH == 4 && defined(__SSE2__)
    return _mm_max_ps(a, b);
#elif SYNTH_WIDTH == 8 && defined(__AVX__)
    return _mm256_max_ps(a, b);
#elif SYNTH_WIDTH == 16 && defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return vf_select(vf_less(b, a), a, b);
#endif
}

INLINE vf vf_min(vf a, vf b)
{
#if SYNTH_WIDTH == 1
    return a < b ? a : b;
#elif SYNTH_WIDTH == 4 && defined(__SSE2__)
    return _mm_min_ps(a, b);
#elif SYNTH_WIDTH == 8 && defined(__AVX__)
    return _mm256_min_ps(a, b);
#elif SYNTH_WIDTH == 16 && defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#else
    return vf_select(vf_less(a, b), a, b);
#endif
}

// NaN becomes lo.
INLINE vf vf_clamp(vf x, float lo, float hi)
{
    return vf_min(vf_max(x, vf_set(lo)), vf_set(hi));
}

INLINE vf vf_abs(vf x)
{
    return vf_bits(vu_bits(x) & 0x7fffffff);
}

INLINE float vf_first(vf x)
{
#if SYNTH_WIDTH == 1
    return x;
#else
    return x[0];
#endif
}

// The largest of the lanes.
INLINE float vf_most(vf x)
{
    float lanes[SYNTH_WIDTH], most;
    __builtin_memcpy(lanes, &x, sizeof lanes);
    most = lanes[0];
    for (int n = 1; n < SYNTH_WIDTH; n++)
        most = lanes[n] > most ? lanes[n] : most;
    return most;
}

INLINE uint32_t vu_first(vu x)
{
#if SYNTH_WIDTH == 1
    return x;
#else
    return x[0];
#endif
}

// Numbers first, first + 1 ...
INLINE vu vu_count(uint32_t first)
{
#if SYNTH_WIDTH == 1
    return first;
#elif SYNTH_WIDTH == 4
    return (vu){0, 1, 2, 3} + first;
#elif SYNTH_WIDTH == 8
    return (vu){0, 1, 2, 3, 4, 5, 6, 7} + first;
#else
    return (vu){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + first;
#endif
}
