// Echo from side to side: what goes into the reverb comes back on the left, from there on the right, and so on, softer
// and darker each time. The two ways have no common measure, so that no pulse is heard that the score does not have.
#pragma once
#include "synth/dsp/recur.h"
#include "synth/dsp/ring.h"
#include "synth/instruments/lane_bus.h"

#define ECHO_FEEDBACK 0.58f
#define ECHO_MOST 0.7f      // of what is sent, at most
#define ECHO_ROOM 0.5f      // of the echo that goes on into the reverb

// One way of the ping-pong: darker by one pole at 2.6 kHz, and no lows below one at 180 Hz.
INLINE void echo_darken(float memory[2], float *x)
{
    const float dark = 0.288462f, low = 0.0232869f;    // 1 - exp(-2 pi f / 48000)
    float lows[CONTROL_FRAMES];
    memory[0] = recur_low(x, dark, memory[0], x);
    memory[1] = recur_low(x, low, memory[1], lows);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        x[i] -= lows[i];
}

// amount: 0..1, moved to in a straight line.   out: added to.   send: is heard, and added to.
INLINE void echo_render(struct echo *e, uint64_t frame, float amount, struct stereo_block *send,
                        struct stereo_block *out)
{
    struct stereo_block late;
    float go[CONTROL_FRAMES], back[CONTROL_FRAMES];
    float level = e->level, step = (amount * ECHO_MOST - level) * (1.0f / CONTROL_FRAMES);
    memcpy(late.left, ring_late(e->left, ECHO_LEFT_FRAMES, frame, ECHO_LEFT_FRAMES), sizeof late.left);
    memcpy(late.right, ring_late(e->right, ECHO_RIGHT_FRAMES, frame, ECHO_RIGHT_FRAMES), sizeof late.right);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        go[i] = (send->left[i] + send->right[i]) * 0.5f + late.right[i] * ECHO_FEEDBACK;
        back[i] = late.left[i] * ECHO_FEEDBACK;
    }
    echo_darken(e->tone[0], go);
    echo_darken(e->tone[1], back);
    ring_write(e->left, ECHO_LEFT_FRAMES, frame, go);
    ring_write(e->right, ECHO_RIGHT_FRAMES, frame, back);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float gain = level + (float)i * step, left = late.left[i] * gain, right = late.right[i] * gain;
        out->left[i] += left;
        out->right[i] += right;
        send->left[i] += left * ECHO_ROOM;
        send->right[i] += right * ECHO_ROOM;
    }
    e->level = amount * ECHO_MOST;
}
