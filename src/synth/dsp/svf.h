// State-variable filter without a delay in its loop, 12 dB per octave; stays itself while its coefficients move.
// Source: A. Simper, Linear trapezoidal integrated SVF (Cytomic, 2013).
#pragma once
#include "synth/dsp/math.h"

struct svf_coefficients {
    vf a1, a2, a3;
};

struct svf_memory {
    vf one, two;
};

// cutoff_hz: clamped to 10 .. 20,000.   damping: 1/Q, 2 is critical.
INLINE struct svf_coefficients svf_design(vf cutoff_hz, vf damping)
{
    vf g = vf_tan_pi(vf_clamp(cutoff_hz, 10.0f, 20000.0f) * (1.0f / FRAME_RATE));
    vf a1 = 1.0f / (1.0f + g * (g + damping));
    vf a2 = g * a1;
    return (struct svf_coefficients){a1, a2, g * a2};
}

struct svf_out {
    vf band, low;
};

INLINE struct svf_out svf_tick(struct svf_memory *m, const struct svf_coefficients *c, vf in)
{
    vf v3 = in - m->two;
    vf band = c->a1 * m->one + c->a2 * v3;
    vf low = m->two + (c->a2 * m->one + c->a3 * v3);
    m->one = band + band - m->one;
    m->two = low + low - m->two;
    return (struct svf_out){band, low};
}

// A straight line from what was reached to what is wanted at the end of the block.
INLINE struct svf_coefficients svf_step(const struct svf_coefficients *from, const struct svf_coefficients *to)
{
    const float share = 1.0f / CONTROL_FRAMES;
    return (struct svf_coefficients){(to->a1 - from->a1) * share, (to->a2 - from->a2) * share,
                                     (to->a3 - from->a3) * share};
}

INLINE void svf_advance(struct svf_coefficients *c, const struct svf_coefficients *step)
{
    c->a1 += step->a1;
    c->a2 += step->a2;
    c->a3 += step->a3;
}
