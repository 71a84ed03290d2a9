// A number that moves in a straight line during a block, where vectors run over the frames of one note.
#pragma once
#include "base/frames.h"
#include "synth/dsp/vector.h"

struct ramp {
    float from, step;    // at the end of the block before; per frame
};

INLINE struct ramp ramp_to(float from, float to)
{
    return (struct ramp){from, (to - from) * (1.0f / CONTROL_FRAMES)};
}

// frame: of the block, counted from 1, so that the last is where it goes to.
INLINE vf ramp_at(struct ramp r, vf frame)
{
    return r.from + frame * r.step;
}
