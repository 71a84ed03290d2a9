// Numbers too small to be normal count as zero on the render path; rounding is to nearest. Set at every entry, since
// each thread has its own control word.
#pragma once
#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>

typedef uint32_t denormals_state;

static inline denormals_state denormals_flush(void)
{
    denormals_state before = _mm_getcsr();
    _mm_setcsr(0x1f80 | 0x8040);  // all exceptions masked, flush to zero, denormals are zero
    return before;
}

static inline void denormals_restore(denormals_state before)
{
    _mm_setcsr(before);
}
#elif defined(__aarch64__)
typedef uint64_t denormals_state;

static inline denormals_state denormals_flush(void)
{
    denormals_state before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(UINT64_C(1) << 24));
    return before;
}

static inline void denormals_restore(denormals_state before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#else
typedef int denormals_state;

static inline denormals_state denormals_flush(void)
{
    return 0;
}

static inline void denormals_restore(denormals_state before)
{
    (void)before;
}
#endif
