// Instruments whose vectors hold the parts of one note, or its frames: their lanes are played one after the other.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/instruments/lane_bus.h"

// NAME_lanes by NAME_note, which plays lane n for a block.
#define LANES_ONE_BY_ONE(name)                                                                                  \
    INLINE void name##_lanes(struct name *group, int first, const struct lane_block *b, const struct mix *mix,  \
                             struct lane_bus *bus)                                                              \
    {                                                                                                           \
        for (int n = first; n < first + SYNTH_WIDTH; n++)                                                       \
            if (b->sounding >> n & 1)                                                                           \
                name##_note(group, n, b, mix, bus);                                                             \
    }
