// What of a lane outlives a block: resting lanes are wiped, so the state is the same whoever computed them.
#pragma once
#include "synth/dsp/vector.h"

INLINE void lane_keep(float *to, vf x, vu lives)
{
    vf_store(to, vf_bits(vu_bits(x) & lives));
}
