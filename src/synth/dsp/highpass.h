// Second-order Butterworth high-pass of one channel at a fixed frequency: the state-variable filter of dsp/svf.h
// written out as a matrix, which shortens the way from one frame to the next.
#pragma once
#include "synth/dsp/vector.h"

// g = tan(pi f / rate), a1 = 1 / (1 + g (g + damping)), a2 = g a1, a3 = g a2.
struct highpass {
    float a1, a2, a3, damping;
};

INLINE float highpass_tick(const struct highpass *h, float memory[2], float in)
{
    float one = memory[0], two = memory[1];
    float band = h->a1 * one + h->a2 * (in - two);
    float low = two + (h->a2 * one + h->a3 * (in - two));
    float b = 2.0f * h->a2, c = 2.0f * h->a3;
    memory[0] = (b * in - b * two) + (2.0f * h->a1 - 1.0f) * one;
    memory[1] = (c * in + b * one) + (1.0f - c) * two;
    return in - h->damping * band - low;
}
