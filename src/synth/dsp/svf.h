// State-variable filter without a delay in its loop, 12 dB per octave; stays itself while its coefficients move. With
// its sums taken together, which are then few and let a frame wait little for the one before: with a1, a2, a3 of the
// source the memories go on by 2 a1 - 1, 2 a2 and 2 a3, and an output is half the sum of a memory before and after.
// Source: A. Simper, Linear trapezoidal integrated SVF (Cytomic, 2013).
#pragma once
#include "base/frames.h"
#include "synth/dsp/math.h"

// Of as many filters as a vector has lanes.
struct svf_coefficients {
    vf through, across, enters;
};

struct svf_memory {
    vf one, two;
};

// cutoff_hz: clamped to 10 .. 20,000.   damping: 1/Q, 2 is critical.
INLINE struct svf_coefficients svf_design(vf cutoff_hz, vf damping)
{
    vf g = vf_tan_pi(vf_clamp(cutoff_hz, 10.0f, 20000.0f) * (1.0f / FRAME_RATE));
    vf twice = 2.0f / (1.0f + g * (g + damping)), across = g * twice;
    return (struct svf_coefficients){twice - 1.0f, across, g * across};
}

// Twice what the filter gives: who takes it has a gain behind it anyway.
struct svf_out {
    vf band, low;
};

INLINE struct svf_out svf_tick(struct svf_memory *m, const struct svf_coefficients *c, vf in)
{
    vf one = m->one, two = m->two, into = in - two;
    m->one = c->through * one + c->across * into;
    m->two = (c->across * one + two) + c->enters * into;
    return (struct svf_out){one + m->one, two + m->two};
}

// A straight line from what was reached to what is wanted at the end of the block.
INLINE struct svf_coefficients svf_step(const struct svf_coefficients *from, const struct svf_coefficients *to)
{
    const float share = 1.0f / CONTROL_FRAMES;
    return (struct svf_coefficients){(to->through - from->through) * share, (to->across - from->across) * share,
                                     (to->enters - from->enters) * share};
}

INLINE void svf_advance(struct svf_coefficients *c, const struct svf_coefficients *step)
{
    c->through += step->through;
    c->across += step->across;
    c->enters += step->enters;
}

// One filter, where vectors run over frames.
struct svf_one {
    float through, across, enters;
};

struct svf_one_out {
    float band, low;    // twice, as above
};

INLINE struct svf_one svf_one(struct svf_coefficients c)
{
    return (struct svf_one){vf_first(c.through), vf_first(c.across), vf_first(c.enters)};
}

INLINE struct svf_one_out svf_one_tick(float memory[2], const struct svf_one *c, float in)
{
    float one = memory[0], two = memory[1], into = in - two;
    memory[0] = c->through * one + c->across * into;
    memory[1] = (c->across * one + two) + c->enters * into;
    return (struct svf_one_out){one + memory[0], two + memory[1]};
}
