// Second-order Butterworth high-pass of one channel at a fixed frequency.
// Source: A. Simper, Linear trapezoidal integrated SVF (Cytomic, 2013).
#pragma once
#include "synth/dsp/vector.h"

// g = tan(pi f / rate), a1 = 1 / (1 + g (g + damping)), a2 = g a1, a3 = g a2.
struct highpass {
    float a1, a2, a3, damping;
};

INLINE float highpass_tick(const struct highpass *h, float memory[2], float in)
{
    float v3 = in - memory[1];
    float band = h->a1 * memory[0] + h->a2 * v3;
    float low = memory[1] + (h->a2 * memory[0] + h->a3 * v3);
    memory[0] = band + band - memory[0];
    memory[1] = low + low - memory[1];
    return in - h->damping * band - low;
}
