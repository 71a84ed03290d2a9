// NAME_render: a block of one group of lanes of an instrument. Of the instrument it needs
//   NAME_start: sets lane n up for the note that begins there.
//   NAME_lanes: renders SYNTH_WIDTH lanes from `first` on.
#pragma once
#include "synth/instruments/all.h"

#define INSTRUMENT(ID, name, lanes_)                                                                           \
    INLINE void name##_render(struct name *group, uint64_t frame, const struct mix *mix, struct lane_bus *bus) \
    {                                                                                                          \
        struct lane_block b;                                                                                   \
        lanes_advance(&group->lanes, frame, mix, &b);                                                          \
        for (uint32_t left = b.started; left; left &= left - 1)                                                \
            name##_start(group, __builtin_ctz(left));                                                          \
        for (int first = 0; first < LANES; first += SYNTH_WIDTH)                                               \
            if (!lanes_rest(&b, first))                                                                        \
                name##_lanes(group, first, &b, mix, bus);                                                      \
    }
#include "score/instruments.def"
#undef INSTRUMENT
