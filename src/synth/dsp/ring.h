// Delay lines: rings that a block at a time goes into, with a guard behind them that repeats their beginning, so that
// no read has to turn round within a block.
#pragma once
#include <string.h>

#include "synth/dsp/vector.h"
#include "synth/state.h"

// Writes the block of `frame`.   frames: of the ring, whole blocks; RING_GUARD more are behind it.
INLINE void ring_write(float *ring, uint32_t frames, uint64_t frame, const float *block)
{
    uint32_t at = (uint32_t)(frame % frames);
    memcpy(ring + at, block, CONTROL_FRAMES * sizeof *block);
    if (at < RING_GUARD)
        memcpy(ring + frames + at, block, CONTROL_FRAMES * sizeof *block);
}

// What was written `delay` frames before the block of `frame`.   delay: CONTROL_FRAMES .. frames
INLINE const float *ring_late(const float *ring, uint32_t frames, uint64_t frame, uint32_t delay)
{
    return ring + (frame + frames - delay) % frames;
}

// A block out of the past by a delay that moves in a straight line, through the quadratic B-spline, which has no joint
// where the whole part of the delay moves on. It lies CONTROL_FRAMES + 2 .. frames - 2.
INLINE void ring_tap(const float *ring, uint32_t frames, uint64_t frame, float from, float to, float *out)
{
    int whole = (int)((from + to) * 0.5f + 0.5f);
    const float *at = ring_late(ring, frames, frame, (uint32_t)whole + 1);
    float offset = (float)whole - from, step = (from - to) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float f = offset + (float)i * step;
        float before = 0.5f - f, after = 0.5f + f;
        out[i] = at[i] * (before * before * 0.5f) + at[i + 1] * (0.75f - f * f) + at[i + 2] * (after * after * 0.5f);
    }
}
