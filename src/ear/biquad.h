// Second-order filters in double precision, transposed direct form II.
#pragma once
#include <math.h>

struct biquad {
    double b0, b1, b2, a1, a2;
};

struct biquad_state {
    double z1, z2;
};

static inline double biquad_run(const struct biquad *biquad, struct biquad_state *state, double in)
{
    double out = biquad->b0 * in + state->z1;
    state->z1 = biquad->b1 * in - biquad->a1 * out + state->z2;
    state->z2 = biquad->b2 * in - biquad->a2 * out;
    return out;
}

// After silence the state falls towards denormal numbers, which are slow: to be called now and then.
static inline void biquad_settle(struct biquad_state *state)
{
    state->z1 = fabs(state->z1) < 1e-30 ? 0 : state->z1;
    state->z2 = fabs(state->z2) < 1e-30 ? 0 : state->z2;
}

// hz: 0 < hz < rate_hz/2.   Source: R. Bristow-Johnson, Audio EQ Cookbook.
static inline struct biquad biquad_low_pass(double hz, double q, double rate_hz)
{
    double turn = 2 * M_PI * hz / rate_hz, alpha = sin(turn) / (2 * q), a0 = 1 + alpha;
    double b1 = (1 - cos(turn)) / a0;
    return (struct biquad){b1 / 2, b1, b1 / 2, -2 * cos(turn) / a0, (1 - alpha) / a0};
}
