// Place between left and right, equal power.
#pragma once
#include "synth/dsp/math.h"

struct pan_gains {
    vf left, right;
};

// pan: -1 left .. 1 right, clamped.
INLINE struct pan_gains pan_gains(vf pan)
{
    vf turns = (vf_clamp(pan, -1.0f, 1.0f) + 1.0f) * 0.125f;
    return (struct pan_gains){vf_sin_turns(0.25f - turns), vf_sin_turns(turns)};
}
