// Where the lanes of one layer meet: lane n joins column n % 4, lower lanes first, and the four columns are summed as
// two pairs. This order is the same at every SIMD level, and silent lanes may be left out: a sum that begins at +0 is
// never -0.
#pragma once
#include <string.h>

#include "synth/dsp/vector.h"
#include "synth/state.h"

enum { BUS_COLUMNS = 4 };

struct lane_bus {
    alignas(64) float left[CONTROL_FRAMES][BUS_COLUMNS];
    alignas(64) float right[CONTROL_FRAMES][BUS_COLUMNS];
};

// One layer or effect in stereo.
struct stereo_block {
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
};

// Adds SYNTH_WIDTH lanes from `first` on to one frame of one side.
INLINE void lane_bus_join(float columns[BUS_COLUMNS], int first, vf lanes)
{
#if SYNTH_WIDTH == 1
    columns[first % BUS_COLUMNS] += lanes;
#else
    (void)first;
    v4 sum;
    __builtin_memcpy(&sum, __builtin_assume_aligned(columns, sizeof sum), sizeof sum);
    sum += vf_four(lanes, 0);
#if SYNTH_WIDTH == 8
    sum += vf_four(lanes, 1);
#endif
    __builtin_memcpy(__builtin_assume_aligned(columns, sizeof sum), &sum, sizeof sum);
#endif
}

INLINE void lane_bus_add(struct lane_bus *bus, int frame, int first, vf left, vf right)
{
    lane_bus_join(bus->left[frame], first, left);
    lane_bus_join(bus->right[frame], first, right);
}

INLINE void lane_bus_sum(const struct lane_bus *bus, struct stereo_block *out)
{
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out->left[i] = (bus->left[i][0] + bus->left[i][2]) + (bus->left[i][1] + bus->left[i][3]);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out->right[i] = (bus->right[i][0] + bus->right[i][2]) + (bus->right[i][1] + bus->right[i][3]);
}
