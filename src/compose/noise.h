// Slow curves: interpolated hash noise, the value at any frame from four hashed knots.
#pragma once
#include <stdint.h>

// Smooth in time, in [0, 1), even around .5. `period`: frames between knots of the slower of its two waves, > 0.
double noise_at(uint64_t seed, uint64_t purpose, uint64_t frame, uint64_t period);
