// White noise, one stream per lane.
#pragma once
#include "synth/dsp/vector.h"

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
