// Chorus: what goes into the reverb, heard beside the dry sound by two taps a side whose delays wander.
#pragma once
#include "synth/dsp/math.h"
#include "synth/dsp/ring.h"
#include "synth/instruments/lane_bus.h"

#define CHORUS_SWING_FRAMES 110.0f
#define CHORUS_MOST 0.8f    // of what is sent, at most

enum { CHORUS_TAPS = 4 };   // even ones on the left

static const struct {
    float frames;           // middle of the delay
    uint32_t pace;          // phase of its wave a block, 2^32 to a turn: .11 to .29 Hz
} chorus_taps[CHORUS_TAPS] = {{419, 629900}, {433, 813800}, {613, 1248200}, {641, 1660700}};

// Delay at the beginning of a block: a pure function of its number.
INLINE float chorus_delay(uint32_t block, int tap)
{
    vu phase = vu_set(block * chorus_taps[tap].pace + (uint32_t)tap * 0x9e3779b1u);
    return chorus_taps[tap].frames + vf_first(vf_sin_phase(phase)) * CHORUS_SWING_FRAMES;
}

// amount: 0..1, moved to in a straight line.   out: added to.
INLINE void chorus_render(struct chorus *c, uint64_t frame, float amount, const struct stereo_block *send,
                          struct stereo_block *out)
{
    uint32_t block = (uint32_t)(frame / CONTROL_FRAMES);
    float level = c->level, step = (amount * CHORUS_MOST - level) * (1.0f / CONTROL_FRAMES);
    for (int tap = 0; tap < CHORUS_TAPS; tap++) {
        float late[CONTROL_FRAMES], *to = tap & 1 ? out->right : out->left;
        ring_tap(c->ring[tap & 1], CHORUS_FRAMES, frame, chorus_delay(block, tap), chorus_delay(block + 1, tap), late);
        for (int i = 0; i < CONTROL_FRAMES; i++)
            to[i] += late[i] * (level + (float)i * step);
    }
    ring_write(c->ring[0], CHORUS_FRAMES, frame, send->left);
    ring_write(c->ring[1], CHORUS_FRAMES, frame, send->right);
    c->level = amount * CHORUS_MOST;
}
