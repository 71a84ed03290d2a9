// The waves of an LFO, 0..1, over a phase with 2^32 to a turn.
#pragma once
#include "synth/dsp/math.h"

enum lfo_wave { LFO_SINE, LFO_TRIANGLE, LFO_SAW, LFO_FALLING_SAW, LFO_SQUARE, LFO_WAVES };

// Their sum, each times its weight. The sine begins at its lowest, like the triangle and the saw.
INLINE vf lfo_at(vu phase, const vf weight[LFO_WAVES])
{
    vf saw = vf_from(phase >> 8) * 0x1p-24f;
    vf sum = (0.5f - vf_sin_phase(phase + 0x40000000) * 0.5f) * weight[LFO_SINE];
    sum += (1.0f - vf_abs(saw * 2.0f - 1.0f)) * weight[LFO_TRIANGLE];
    sum += saw * weight[LFO_SAW];
    sum += (1.0f - saw) * weight[LFO_FALLING_SAW];
    return sum + vf_bits(vu_negative(phase + 0x40000000) & 0x3f800000) * weight[LFO_SQUARE];
}
