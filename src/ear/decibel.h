// Ratios in decibels. 0 gives -HUGE_VAL.
#pragma once
#include <math.h>

static inline double decibel_of_amplitude(double ratio)
{
    return ratio > 0 ? 20 * log10(ratio) : -HUGE_VAL;
}

static inline double decibel_of_power(double ratio)
{
    return ratio > 0 ? 10 * log10(ratio) : -HUGE_VAL;
}

static inline double decibel_to_power(double db)
{
    return pow(10, db / 10);
}
