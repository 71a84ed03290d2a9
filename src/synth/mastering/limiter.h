// Look-ahead limiter, both channels as one. Its gain is a chain of straight lines, one a block, so it cannot click; it
// begins to fall LIMITER_BLOCKS blocks before the peak that needs it.
#pragma once
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/mastering/rest.h"

#define LIMITER_CEILING 0.7943282f  // -2 dBTP

// Four times oversampled, by the interpolation of ITU-R BS.1770-4, annex 2: 12 taps for each of four phases, of which
// two are the others turned round.
enum { PEAK_TAPS = 12, PEAK_PHASES = 4 };
static const float peak_taps[PEAK_PHASES / 2][PEAK_TAPS] = {
    {0.0017089844f, 0.0109863281f, -0.0196533203f, 0.033203125f, -0.0594482422f, 0.1373291016f, 0.9721679688f,
     -0.1022949219f, 0.047607421875f, -0.0266113281f, 0.0148925781f, -0.0083007813f},
    {-0.0291748047f, 0.029296875f, -0.0517578125f, 0.0891113281f, -0.1665039063f, 0.4650878906f, 0.7797851563f,
     -0.2003173828f, 0.1015625f, -0.0582275391f, 0.0330810547f, -0.0189208984f},
};

// The most that a phase makes of samples within 1: the sum of its taps' sizes.
#define PEAK_MOST 2.03f

INLINE float peak_of(const float *x)
{
    vf most = {0};
    for (int i = 0; i < CONTROL_FRAMES; i += SYNTH_WIDTH)
        most = vf_max(vf_abs(vf_load_anywhere(x + i)), most);
    return vf_most(most);
}

// True peak of a channel: all phases of a vector of frames at once.   before: the block before.
INLINE float true_peak(const float *before, const float *in)
{
    float x[PEAK_TAPS - 1 + CONTROL_FRAMES];
    memcpy(x, before + CONTROL_FRAMES - (PEAK_TAPS - 1), (PEAK_TAPS - 1) * sizeof *x);
    memcpy(x + PEAK_TAPS - 1, in, CONTROL_FRAMES * sizeof *x);
    vf most = {0};
    for (int i = 0; i < CONTROL_FRAMES; i += SYNTH_WIDTH) {
        vf between[PEAK_PHASES];
        for (int n = 0; n < PEAK_PHASES; n++)
            between[n] = (vf){0};
        for (int k = 0; k < PEAK_TAPS; k++) {
            vf frames = vf_load_anywhere(x + i + k);
            for (int n = 0; n < PEAK_PHASES; n++)
                between[n] += frames * peak_taps[n / 2][n & 1 ? PEAK_TAPS - 1 - k : k];
        }
        for (int n = 0; n < PEAK_PHASES; n++)
            most = vf_max(vf_abs(between[n]), most);
    }
    float peak = peak_of(in), within = vf_most(most);
    return within > peak ? within : peak;
}

// Gain that the loudest moment of a block leaves.   before: the block before, left and right.
INLINE float limiter_block_gain(float before[2][CONTROL_FRAMES], const struct stereo_block *in)
{
    float left = peak_of(in->left), right = peak_of(in->right);
    float last_left = peak_of(before[0]), last_right = peak_of(before[1]);
    left = left > last_left ? left : last_left;
    right = right > last_right ? right : last_right;
    float peak = left > right ? left : right;
    if (peak * PEAK_MOST <= LIMITER_CEILING)
        return 1.0f;
    left = true_peak(before[0], in->left);
    right = true_peak(before[1], in->right);
    peak = left > right ? left : right;
    return peak > LIMITER_CEILING ? LIMITER_CEILING / peak : 1.0f;
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

// out: interleaved, of LIMITER_BLOCKS blocks ago.
INLINE void limiter_render(struct mastering *m, uint64_t frame, const struct stereo_block *in, float *out)
{
    for (int n = 1; n < LIMITER_KNOWN; n++)
        m->block_gain[n - 1] = m->block_gain[n];
    float (*before)[CONTROL_FRAMES] = m->delay[(frame / CONTROL_FRAMES + LIMITER_BLOCKS - 1) % LIMITER_BLOCKS];
    m->block_gain[LIMITER_KNOWN - 1] = limiter_block_gain(before, in);
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
