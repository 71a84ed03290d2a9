// White noise: one stream per lane, or a block in stereo as a pure function of its number.
#pragma once
#include "base/frames.h"
#include "synth/dsp/chance.h"

// Next of a stream, -1..1. The state must not be 0.   Source: G. Marsaglia, Xorshift RNGs (2003).
INLINE vf noise_tick(vu *state)
{
    vu x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return vf_from(x) * 0x1p-31f;
}

// Fills a block of both sides, -1..1, from the halves of one hash per frame.
INLINE void noise_fill(uint32_t seed, uint32_t block, float *left, float *right)
{
    uint32_t base = chance_of(seed ^ chance_of(block));
    for (int i = 0; i < CONTROL_FRAMES; i += SYNTH_WIDTH) {
        vu bits = chance_bits(base + vu_count((uint32_t)i) * 0x9e3779b1u);
        vf_store(left + i, vf_from(bits << 16) * 0x1p-31f);
        vf_store(right + i, vf_from(bits & 0xffff0000u) * 0x1p-31f);
    }
}
