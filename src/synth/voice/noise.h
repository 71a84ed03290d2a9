// White noise as a function of the sample's number: sample n is seed * multiplier^n modulo 2^32, of which the highest 24
// bits are heard. The seed is odd; seeds are places of one sequence of 2^30 numbers.
// Source: P. L'Ecuyer, Tables of linear congruential generators of different sizes and good lattice structure,
// Mathematics of Computation 68 (1999), table 5.
#pragma once

#define VOICE_NOISE_MULTIPLIER 747796405u
