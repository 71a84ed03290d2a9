#include "compose/noise.h"

#include "base/random.h"

static double noise_wave(uint64_t seed, uint64_t purpose, uint64_t frame, uint64_t period)
{
    uint64_t knot = frame / period;
    double left = random_unit(seed, purpose, knot);
    double right = random_unit(seed, purpose, knot + 1);
    double x = (double)(frame % period) / (double)period;
    return left + (right - left) * (x * x * (3.0 - 2.0 * x));
}

double noise_at(uint64_t seed, uint64_t purpose, uint64_t frame, uint64_t period)
{
    // The second wave is out of step with the first: 89/233 is nearly the square of the golden ratio's inverse.
    uint64_t faster = period * 89 / 233 + 1;
    return 0.7 * noise_wave(seed, purpose, frame, period) + 0.3 * noise_wave(~seed, purpose, frame, faster);
}
