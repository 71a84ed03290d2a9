// Fourier transform of FOURIER_SIZE complex numbers, four at a time, in passes that sort what they make: each reads
// from all quarters and writes runs, of one number in the first pass and four times as many in each that follows.
// Source: T. G. Stockham, High-speed convolution and correlation, AFIPS 28 (1966).
#pragma once
#include <stdalign.h>

#include "synth/dsp/math.h"

enum { FOURIER_SIZE = 4096, FOURIER_QUARTER = FOURIER_SIZE / 4 };

struct fourier {
    alignas(64) float re[FOURIER_SIZE], im[FOURIER_SIZE];
};

// Powers 1, 2 and 3 of the roots of unity of a quarter turn, clockwise.
struct fourier_roots {
    alignas(64) float re[3][FOURIER_QUARTER], im[3][FOURIER_QUARTER];
};

INLINE void fourier_find_roots(struct fourier_roots *roots)
{
    for (uint32_t power = 1; power <= 3; power++)
        for (uint32_t k = 0; k < FOURIER_QUARTER; k += SYNTH_WIDTH) {
            vu turn = vu_count(k) * (0u - power * (UINT32_C(0x40000000) / FOURIER_QUARTER));
            vf_store(roots->re[power - 1] + k, vf_sin_phase(turn + 0x40000000));
            vf_store(roots->im[power - 1] + k, vf_sin_phase(turn));
        }
}

// Number `to` of a pass by a root, times (re, im).
INLINE void fourier_put(struct fourier *restrict f, int to, float re, float im, const struct fourier_roots *roots,
                        int power, int root)
{
    float turn_re = roots->re[power - 1][root], turn_im = roots->im[power - 1][root];
    f->re[to] = re * turn_re - im * turn_im;
    f->im[to] = re * turn_im + im * turn_re;
}

// The transform of the four numbers at `at` of each quarter, to `to` and each `run` behind it.
INLINE void fourier_four(const struct fourier *restrict from, struct fourier *restrict f,
                         const struct fourier_roots *restrict roots, int root, int at, int to, int run)
{
    const float *re = from->re + at, *im = from->im + at;
    float even_re = re[0] + re[2 * FOURIER_QUARTER], even_im = im[0] + im[2 * FOURIER_QUARTER];
    float apart_re = re[0] - re[2 * FOURIER_QUARTER], apart_im = im[0] - im[2 * FOURIER_QUARTER];
    float odd_re = re[FOURIER_QUARTER] + re[3 * FOURIER_QUARTER];
    float odd_im = im[FOURIER_QUARTER] + im[3 * FOURIER_QUARTER];
    float across_re = re[FOURIER_QUARTER] - re[3 * FOURIER_QUARTER];
    float across_im = im[FOURIER_QUARTER] - im[3 * FOURIER_QUARTER];
    f->re[to] = even_re + odd_re;
    f->im[to] = even_im + odd_im;
    fourier_put(f, to + run, apart_re + across_im, apart_im - across_re, roots, 1, root);
    fourier_put(f, to + 2 * run, even_re - odd_re, even_im - odd_im, roots, 2, root);
    fourier_put(f, to + 3 * run, apart_re - across_im, apart_im + across_re, roots, 3, root);
}

// A pass whose runs are `run` long.
INLINE void fourier_pass(const struct fourier *restrict from, struct fourier *restrict to,
                         const struct fourier_roots *restrict roots, int run)
{
    for (int root = 0; root < FOURIER_QUARTER; root += run)
        for (int i = 0; i < run; i++)
            fourier_four(from, to, roots, root, root + i, 4 * root + i, run);
}

// Of f, in place, by way of `spare`. Frequencies are in order, those below 0 behind the others.
INLINE void fourier_transform(struct fourier *f, struct fourier *spare, const struct fourier_roots *roots)
{
    for (int i = 0; i < FOURIER_QUARTER; i++)
        fourier_four(f, spare, roots, i, i, 4 * i, 1);
    fourier_pass(spare, f, roots, 4);
    fourier_pass(f, spare, roots, 16);
    fourier_pass(spare, f, roots, 64);
    fourier_pass(f, spare, roots, 256);
    fourier_pass(spare, f, roots, 1024);
}
