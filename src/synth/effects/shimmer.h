// Shimmer: what the reverb gave, an octave higher, on its way into the reverb again. Two taps read the past at twice
// its pace and take turns, each coming in while the other goes; they have caught up after SHIMMER_TURN frames.
#pragma once
#include "synth/dsp/math.h"
#include "synth/dsp/recur.h"
#include "synth/dsp/ring.h"
#include "synth/instruments/lane_bus.h"

// Of what is sent back at most; less is lost by the reverb than is gained only where this nears 1.
#define SHIMMER_MOST 0.5f

INLINE float shimmer_curve(float x)
{
    return smooth_of(x < 0.5f ? 2.0f * x : 2.0f - 2.0f * x);
}

// One tap, `late` frames into its turn at the beginning of the block: two frames of the past for each of the present.
INLINE void shimmer_tap(const float *ring, uint64_t frame, uint32_t late, const float *window, float *out)
{
    const float *at = ring_late(ring, SHIMMER_FRAMES, frame, SHIMMER_TURN + CONTROL_FRAMES - late);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out[i] += at[2 * i] * window[i];
}

// Adds to what goes into the reverb.   amount: 0..1, moved to in a straight line.
INLINE void shimmer_send(struct shimmer *s, uint64_t frame, float amount, struct stereo_block *send)
{
    float window[2][CONTROL_FRAMES];
    struct stereo_block high = {{0}, {0}};
    uint32_t late[2] = {(uint32_t)(frame % SHIMMER_TURN), (uint32_t)((frame + SHIMMER_TURN / 2) % SHIMMER_TURN)};
    float level = s->level, step = (amount * SHIMMER_MOST - level) * (1.0f / CONTROL_FRAMES);
    for (int n = 0; n < 2; n++) {
        for (int i = 0; i < CONTROL_FRAMES; i++)
            window[n][i] = shimmer_curve((float)(late[n] + (uint32_t)i) * (1.0f / SHIMMER_TURN));
        shimmer_tap(s->ring[0], frame, late[n], window[n], high.left);
        shimmer_tap(s->ring[1], frame, late[n], window[n], high.right);
    }
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float gain = level + (float)i * step;
        send->left[i] += high.left[i] * gain;
        send->right[i] += high.right[i] * gain;
    }
    s->level = amount * SHIMMER_MOST;
}

// Keeps what the reverb gave, but for what would fold back an octave higher: 12 dB an octave from 4 kHz on.
INLINE void shimmer_keep(struct shimmer *s, uint64_t frame, const struct stereo_block *wet)
{
    const float pole = 0.407613f;    // 1 - exp(-2 pi 4000 / 48000)
    for (int channel = 0; channel < 2; channel++) {
        float low[CONTROL_FRAMES], *memory = s->low[channel];
        memory[0] = recur_low(channel ? wet->right : wet->left, pole, memory[0], low);
        memory[1] = recur_low(low, pole, memory[1], low);
        ring_write(s->ring[channel], SHIMMER_FRAMES, frame, low);
    }
}
