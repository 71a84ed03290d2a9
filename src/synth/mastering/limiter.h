// Look-ahead limiter, both channels as one. Its gain is a chain of straight lines, one a block, so it cannot click; it
// begins to fall SYNTH_LOOKAHEAD frames before the peak that needs it.
#pragma once
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/mastering/rest.h"

#define LIMITER_CEILING 0.7498942f  // -2.5 dBFS, so that what lies between samples stays near -2 dBTP

// Gain that the loudest frame of a block leaves.
INLINE float limiter_block_gain(const struct stereo_block *b)
{
    float peak[16] = {0};
    for (int i = 0; i < CONTROL_FRAMES; i += 16)
        for (int n = 0; n < 16; n++) {
            float left = __builtin_fabsf(b->left[i + n]), right = __builtin_fabsf(b->right[i + n]);
            float louder = left > right ? left : right;
            peak[n] = louder > peak[n] ? louder : peak[n];
        }
    float most = 0;
    for (int n = 0; n < 16; n++)
        most = peak[n] > most ? peak[n] : most;
    return most > LIMITER_CEILING ? LIMITER_CEILING / most : 1.0f;
}

// Least of the gains of blocks [first, first + count), counted in block_gain.
INLINE float limiter_least(const struct mastering *m, int first, int count)
{
    float least = 1.0f;
    for (int n = first; n < first + count; n++)
        least = m->block_gain[n] < least ? m->block_gain[n] : least;
    return least;
}

// The gain at the end of the block that goes out. The newest known block is LIMITER_BLOCKS after that one: the mean of
// four minima falls in a straight line and has arrived where the peak begins, each minimum holds the gain of both
// blocks that meet there.
INLINE float limiter_knot(const struct mastering *m)
{
    float sum = 0;
    for (int n = 0; n < LIMITER_BLOCKS; n++)
        sum += limiter_least(m, n, LIMITER_KNOWN - LIMITER_BLOCKS + 1);
    float wanted = sum * (1.0f / LIMITER_BLOCKS);
    float released = m->limiter_gain + (1.0f - m->limiter_gain) * 0.0053191f;  // 250 ms
    return wanted < released ? wanted : released;
}

// out: interleaved, of SYNTH_LOOKAHEAD frames ago.
INLINE void limiter_render(struct mastering *m, uint64_t frame, const struct stereo_block *in, float *out)
{
    for (int n = 1; n < LIMITER_KNOWN; n++)
        m->block_gain[n - 1] = m->block_gain[n];
    m->block_gain[LIMITER_KNOWN - 1] = limiter_block_gain(in);
    float from = m->limiter_gain, to = limiter_knot(m), step = (to - from) * (1.0f / CONTROL_FRAMES);
    float (*late)[CONTROL_FRAMES] = m->delay[frame / CONTROL_FRAMES % LIMITER_BLOCKS];
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float gain = from + (float)i * step;
        out[2 * i] = late[0][i] * gain;
        out[2 * i + 1] = late[1][i] * gain;
    }
    m->limiter_gain = to;
    memcpy(late[0], in->left, sizeof in->left);
    memcpy(late[1], in->right, sizeof in->right);
}
