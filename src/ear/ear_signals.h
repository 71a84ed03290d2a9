// Material for the ear's tests, interleaved stereo at 48 kHz, the same on every machine.
#pragma once
#include <math.h>
#include <stddef.h>

#include "base/random.h"

static inline void signal_sine(float *stereo, size_t frames, double hz, double amplitude)
{
    for (size_t i = 0; i < frames; i++) {
        double turn = 2 * M_PI * hz * (double)i / 48000;
        stereo[2 * i] += (float)(amplitude * sin(turn));
        stereo[2 * i + 1] += (float)(amplitude * sin(turn + .7));
    }
}

// White noise through `poles` one-pole low-passes; cutoff_hz of 24000 leaves it white. rms: before the low-passes.
static inline void signal_noise(float *stereo, size_t frames, double cutoff_hz, int poles, double rms, uint64_t seed)
{
    double keep = cutoff_hz < 24000 ? exp(-2 * M_PI * cutoff_hz / 48000) : 0, state[2][4] = {{0}};
    for (size_t i = 0; i < 2 * frames + 2000; i++) {
        double value = (random_unit(seed, 1, i) - .5) * sqrt(12) * rms;
        for (int pole = 0; pole < poles; pole++)
            value = state[i % 2][pole] += (1 - keep) * (value - state[i % 2][pole]);
        if (i >= 2000)
            stereo[i - 2000] += (float)value;
    }
}

// A slow tremolo, as of a pad: `depth` of the level comes and goes in `seconds`.
static inline void signal_swell(float *stereo, size_t frames, double depth, double seconds)
{
    for (size_t i = 0; i < frames; i++) {
        double gain = 1 - depth * (.5 + .5 * cos(2 * M_PI * (double)i / 48000 / seconds));
        stereo[2 * i] *= (float)gain;
        stereo[2 * i + 1] *= (float)gain;
    }
}
