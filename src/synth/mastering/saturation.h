// Saturation as of a tape: softer the louder it is, the more so the warmer the sound. Twice oversampled, so that what
// it adds above half the rate does not fold back. It comes a block late, the least that the filters and whole blocks
// allow.
#pragma once
#include "synth/dsp/half_band.h"
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/mastering/rest.h"

#define SATURATION_MORE 0.9f    // drive at warmth 1, on top of the least

// drive: at the ends of the block.
INLINE void saturation_bend(float *x, float from, float to)
{
    float step = (to - from) * (1.0f / CONTROL_FRAMES);
    alignas(64) float drive[CONTROL_FRAMES];
    for (int i = 0; i < CONTROL_FRAMES; i++)
        drive[i] = from + (float)i * step;
    for (int i = 0; i < CONTROL_FRAMES; i += SYNTH_WIDTH) {
        vf g = vf_load(drive + i);
        vf_store(x + i, vf_tanh(vf_load(x + i) * g) / g);
    }
}

// The block with what is kept from before it in front; keeps what the next one needs.
INLINE void saturation_join(float *kept, int count, const float *block, float *joined)
{
    memcpy(joined, kept, (size_t)count * sizeof *kept);
    memcpy(joined + count, block, CONTROL_FRAMES * sizeof *block);
    memcpy(kept, joined + CONTROL_FRAMES, (size_t)count * sizeof *kept);
}

INLINE void saturation_side(struct saturation *s, int side, float from, float to, float *block)
{
    alignas(64) float on[CONTROL_FRAMES], between[CONTROL_FRAMES], mean[CONTROL_FRAMES];
    float x[HALF_BAND_KEPT + CONTROL_FRAMES], late[HALF_BAND_TAPS + CONTROL_FRAMES];
    saturation_join(s->in[side], HALF_BAND_KEPT, block, x);
    memcpy(on, x + HALF_BAND_TAPS, sizeof on);
    half_band_between(x, CONTROL_FRAMES, between);
    saturation_bend(on, from, to);
    saturation_bend(between, from, to);
    saturation_join(s->between[side], HALF_BAND_KEPT, between, x);
    saturation_join(s->on[side], HALF_BAND_TAPS, on, late);
    half_band_between(x, CONTROL_FRAMES, mean);
    float bent[CONTROL_FRAMES], joined[SATURATION_WAITS + CONTROL_FRAMES];
    for (int i = 0; i < CONTROL_FRAMES; i++)
        bent[i] = (late[i] + mean[i]) * 0.5f;
    saturation_join(s->out[side], SATURATION_WAITS, bent, joined);
    memcpy(block, joined, sizeof bent);
}

INLINE void saturation_render(struct saturation *s, float warmth, struct stereo_block *b)
{
    float from = s->drive, to = SATURATION_LEAST + SATURATION_MORE * warmth;
    saturation_side(s, 0, from, to, b->left);
    saturation_side(s, 1, from, to, b->right);
    s->drive = to;
}
