// Second-order high-pass of one channel at a fixed frequency.
#pragma once
#include "synth/dsp/svf.h"

// g = tan(pi f / rate), through = 2 / (1 + g (g + damping)) - 1, across = g (through + 1), enters = g across.
struct highpass {
    struct svf_one filter;
    float damping;
};

INLINE float highpass_tick(const struct highpass *h, float memory[2], float in)
{
    struct svf_one_out out = svf_one_tick(memory, &h->filter, in);
    return in - (h->damping * out.band + out.low) * 0.5f;
}
