// White noise as a function of the sample's number: sample n is seed * multiplier^n modulo 2^32, of which the highest
// 24 bits are heard. The seed is odd; seeds are places of one sequence of 2^30 numbers. Source: P. L'Ecuyer, Tables of
// linear congruential generators of different sizes and good lattice structure, Mathematics of Computation 68 (1999),
// table 5.
#pragma once
#include "synth/dsp/vector.h"

// multiplier^n
INLINE uint32_t voice_noise_power(int n)
{
    uint32_t power = 1;
    for (int i = 0; i < n; i++)
        power *= 747796405u;
    return power;
}

// The samples first .. first + SYNTH_WIDTH - 1 of a seed.
INLINE vu voice_noise_from(uint32_t seed, int first)
{
    alignas(64) uint32_t words[SYNTH_WIDTH];
    for (int i = 0; i < SYNTH_WIDTH; i++)
        words[i] = seed * voice_noise_power(first + i);
    return vu_load(words);
}
