// First-order recurrences over a block, which are what keeps a one-pole filter from being a vector: four frames at a
// time, so that a frame waits for the one four before it instead of its neighbour.
#pragma once
#include "base/frames.h"
#include "synth/dsp/vector.h"

// y[n] = x[n] + a y[n - 1] for four frames, in place.   last: y before the first.   Returns the last.
#if SYNTH_WIDTH == 1
INLINE float recur_four(float *x, float a, float last)
{
    const float a2 = a * a;
    float near[4], far[4];
    for (int i = 0; i < 4; i++)
        near[i] = x[i] + a * (i > 0 ? x[i - 1] : 0.0f);
    for (int i = 0; i < 4; i++)
        far[i] = near[i] + a2 * (i > 1 ? near[i - 2] : 0.0f);
    x[0] = far[0] + a * last;
    x[1] = far[1] + a2 * last;
    x[2] = far[2] + a2 * a * last;
    x[3] = far[3] + a2 * a2 * last;
    return x[3];
}
#else
INLINE float recur_four(float *x, float a, float last)
{
    const float a2 = a * a;
    const v4 none = {0}, powers = {a, a2, a2 * a, a2 * a2};
    v4 y;
    __builtin_memcpy(&y, x, sizeof y);
    y += __builtin_shufflevector(none, y, 0, 4, 5, 6) * a;
    y += __builtin_shufflevector(none, y, 0, 1, 4, 5) * a2;
    y += powers * last;
    __builtin_memcpy(x, &y, sizeof y);
    return y[3];
}
#endif

// The same for a block.
INLINE float recur(float *x, float a, float last)
{
    for (int i = 0; i < CONTROL_FRAMES; i += 4)
        last = recur_four(x + i, a, last);
    return last;
}

// One-pole low-pass of a block: y[n] = y[n - 1] + (x[n] - y[n - 1]) pole.   pole: 1 - exp(-2 pi f / rate).
//   out: may be x.
INLINE float recur_low(const float *x, float pole, float last, float *out)
{
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out[i] = x[i] * pole;
    return recur(out, 1.0f - pole, last);
}
