// Saturation as of a tape: softer the louder it is, the more so the warmer the sound. Twice oversampled, so that what
// it adds above half the rate does not fold back. It comes a block late, the least that the filters and whole blocks
// allow.
#pragma once
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/mastering/rest.h"

#define SATURATION_MORE 0.9f    // drive at warmth 1, on top of the least

// One side of a half-band low-pass, Kaiser window of beta 6: the middle tap is 1, every second one 0. As an
// interpolator within .01 dB up to 18 kHz, 68 dB down from 30 kHz on.
static const float saturation_taps[SATURATION_TAPS] = {
    0.630087631f, -0.192664536f, 0.0969012269f, -0.052563523f, 0.0276828986f, -0.0132781206f, 0.00536597323f,
    -0.00153154972f,
};

// What lies half a frame after each of the frames SATURATION_TAPS - 1 on.   x: SATURATION_KEPT frames and the block.
INLINE void saturation_between(const float *x, float *out)
{
    memset(out, 0, CONTROL_FRAMES * sizeof *out);
    for (int k = 0; k < SATURATION_TAPS; k++)
        for (int i = 0; i < CONTROL_FRAMES; i++)
            out[i] += (x[SATURATION_TAPS - 1 + i - k] + x[SATURATION_TAPS + i + k]) * saturation_taps[k];
}

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
    float x[SATURATION_KEPT + CONTROL_FRAMES], late[SATURATION_TAPS + CONTROL_FRAMES];
    saturation_join(s->in[side], SATURATION_KEPT, block, x);
    memcpy(on, x + SATURATION_TAPS, sizeof on);
    saturation_between(x, between);
    saturation_bend(on, from, to);
    saturation_bend(between, from, to);
    saturation_join(s->between[side], SATURATION_KEPT, between, x);
    saturation_join(s->on[side], SATURATION_TAPS, on, late);
    saturation_between(x, mean);
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
