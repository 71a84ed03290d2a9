// Where the lanes of one instrument meet: lane n joins column n % 4, lower lanes first, and the four columns are summed
// as two pairs. This order is the same at every SIMD level, and silent lanes may be left out: a sum that begins at +0
// is never -0.
#pragma once
#include <string.h>

#include "synth/dsp/vector.h"
#include "synth/state.h"

enum { BUS_COLUMNS = 4 };

struct lane_bus {
    alignas(64) float left[CONTROL_FRAMES][BUS_COLUMNS];
    alignas(64) float right[CONTROL_FRAMES][BUS_COLUMNS];
};

// One instrument or effect in stereo.
struct stereo_block {
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
};

#if SYNTH_WIDTH > 1
INLINE void lane_bus_four(float columns[BUS_COLUMNS], v4 lanes)
{
    v4 sum;
    __builtin_memcpy(&sum, __builtin_assume_aligned(columns, sizeof sum), sizeof sum);
    sum += lanes;
    __builtin_memcpy(__builtin_assume_aligned(columns, sizeof sum), &sum, sizeof sum);
}
#endif

// Adds SYNTH_WIDTH lanes from `first` on to one frame of one side.
INLINE void lane_bus_join(float columns[BUS_COLUMNS], int first, vf lanes)
{
#if SYNTH_WIDTH == 1
    columns[first % BUS_COLUMNS] += lanes;
#elif SYNTH_WIDTH == 4
    (void)first;
    lane_bus_four(columns, lanes);
#else
    (void)first;
    v4 sum;
    __builtin_memcpy(&sum, __builtin_assume_aligned(columns, sizeof sum), sizeof sum);
    sum += vf_four(lanes, 0);
    sum += vf_four(lanes, 1);
    __builtin_memcpy(__builtin_assume_aligned(columns, sizeof sum), &sum, sizeof sum);
#endif
}

INLINE void lane_bus_add(struct lane_bus *bus, int frame, int first, vf left, vf right)
{
    lane_bus_join(bus->left[frame], first, left);
    lane_bus_join(bus->right[frame], first, right);
}

// Adds a block of lane n.
INLINE void lane_bus_add_note(struct lane_bus *bus, int n, const struct stereo_block *note)
{
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        bus->left[i][n % BUS_COLUMNS] += note->left[i];
        bus->right[i][n % BUS_COLUMNS] += note->right[i];
    }
}

// Adds to one frame SYNTH_WIDTH of eight lanes, from `first` on: 0 .. 3 are the left columns, 4 .. 7 the right.
INLINE void lane_bus_sides(struct lane_bus *bus, int frame, int first, vf lanes)
{
#if SYNTH_WIDTH == 8
    (void)first;
    lane_bus_four(bus->left[frame], vf_four(lanes, 0));
    lane_bus_four(bus->right[frame], vf_four(lanes, 1));
#else
    lane_bus_join(first < BUS_COLUMNS ? bus->left[frame] : bus->right[frame], first, lanes);
#endif
}

// Vector k of eight such lanes with their sides exchanged.
INLINE vf lane_bus_across(const vf *lanes, int k)
{
#if SYNTH_WIDTH == 8
    return __builtin_shufflevector(lanes[k], lanes[k], 4, 5, 6, 7, 0, 1, 2, 3);
#else
    return lanes[k ^ (BUS_COLUMNS / SYNTH_WIDTH)];
#endif
}

INLINE void lane_bus_sum(const struct lane_bus *bus, struct stereo_block *out)
{
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out->left[i] = (bus->left[i][0] + bus->left[i][2]) + (bus->left[i][1] + bus->left[i][3]);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        out->right[i] = (bus->right[i][0] + bus->right[i][2]) + (bus->right[i][1] + bus->right[i][3]);
}
