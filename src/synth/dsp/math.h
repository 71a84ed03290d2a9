// Own transcendental functions: polynomials fitted by weighted least squares on Chebyshev nodes, the same bits at every
// SIMD level. Errors are checked against libm in math_test.c.
#pragma once
#include "synth/dsp/vector.h"

// 2^x, x clamped to -120 .. 120. Relative error below 3e-7.
INLINE vf vf_exp2(vf x)
{
    x = vf_clamp(x, -120.0f, 120.0f);
    vu whole = vu_from(x + 128.5f) - 128;
    vf f = x - vf_from(whole);
    vf p = f * 1.54780222e-4f + 1.34004317e-3f;
    p = p * f + 9.61799451e-3f;
    p = p * f + 5.55032722e-2f;
    p = p * f + 2.40226515e-1f;
    p = p * f + 6.93147207e-1f;
    p = p * f + 1.0f;
    return p * vf_bits((whole + 127) << 23);
}

// log2 of a normal, positive x. Absolute error below 3e-7 near 1, relative elsewhere.
// By the series of artanh((m - 1) / (m + 1)) over a mantissa between sqrt(1/2) and sqrt(2).
INLINE vf vf_log2(vf x)
{
    vu bits = vu_bits(x) - 0x3f3504f3;
    vu whole = (vu)((vi)bits >> 23);
    vf m = vf_bits((bits & 0x7fffff) + 0x3f3504f3);
    vf s = (m - 1.0f) / (m + 1.0f);
    vf q = s * s;
    vf p = q * 0.32059889f + 0.41219859f;
    p = p * q + 0.57707802f;
    p = p * q + 0.96179669f;
    p = p * q + 2.88539008f;
    return p * s + vf_from(whole);
}

// x^power, 0 <= x <= 1; 0 where x is.
INLINE vf vf_power(vf x, vf power)
{
    vf y = vf_exp2(vf_log2(vf_max(x, vf_set(1e-30f))) * power);
    return vf_bits(vu_bits(y) & vf_less((vf){0}, x));
}

// Sine of a phase, 2^32 to a turn. Absolute error below 1e-6.
INLINE vf vf_sin_phase(vu phase)
{
    // The second and third quarter are folded back on the others, so |t| <= 1/2 and the sine is that of pi t.
    vu folded = vu_select(vu_negative(phase ^ (phase << 1)), 0x80000000 - phase, phase);
    vf t = vf_from(folded) * 0x1p-31f;
    vf q = t * t;
    vf p = q * -5.54636161e-1f + 2.54189901f;
    p = p * q - 5.16714279f;
    p = p * q + 3.14158202f;
    return p * t;
}

// Sine of x turns, |x| < .5.
INLINE vf vf_sin_turns(vf x)
{
    return vf_sin_phase(vu_from(x * 0x1p31f) << 1);
}

// tan(pi x), 0 <= x <= .47. Relative error below 1e-5.
INLINE vf vf_tan_pi(vf x)
{
    vu phase = vu_from(x * 0x1p31f);
    return vf_sin_phase(phase) / vf_sin_phase(phase + 0x40000000);
}

// Hyperbolic tangent by Lambert's continued fraction, clamped where it meets 1. Absolute error below 2e-4.
INLINE vf vf_tanh(vf x)
{
    x = vf_clamp(x, -4.9f, 4.9f);
    vf q = x * x;
    vf above = ((q + 378.0f) * q + 17325.0f) * q + 135135.0f;
    vf below = ((q * 28.0f + 3150.0f) * q + 62370.0f) * q + 135135.0f;
    return x * above / below;
}

// 0 .. 1 to 0 .. 1, level at both ends.
INLINE vf vf_smooth(vf x)
{
    return x * x * (3.0f - 2.0f * x);
}

// The same of any x, clamped to 0 .. 1.
INLINE vf vf_smooth_step(vf x)
{
    return vf_smooth(vf_clamp(x, 0.0f, 1.0f));
}

INLINE float smooth_of(float x)
{
    return x * x * (3.0f - 2.0f * x);
}

// 2^x of one number.
INLINE float exp2_of(float x)
{
    return vf_first(vf_exp2(vf_set(x)));
}

INLINE float log2_of(float x)
{
    return vf_first(vf_log2(vf_set(x)));
}
