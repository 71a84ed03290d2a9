// Where the lanes of one layer meet: every lane keeps its own column, all columns are summed in one fixed tree, so the
// sum is the same at every SIMD level and whether silent lanes were computed or not.
#pragma once
#include <string.h>

#include "synth/dsp/vector.h"
#include "synth/state.h"

struct lane_bus {
    alignas(64) float left[CONTROL_FRAMES][LANES];
    alignas(64) float right[CONTROL_FRAMES][LANES];
};

// One layer or effect in stereo.
struct stereo_block {
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
};

// Adds SYNTH_WIDTH lanes from `first` on to one frame.
INLINE void lane_bus_add(struct lane_bus *bus, int frame, int first, vf left, vf right)
{
    float *to_left = bus->left[frame] + first, *to_right = bus->right[frame] + first;
    vf_store(to_left, vf_load(to_left) + left);
    vf_store(to_right, vf_load(to_right) + right);
}

// Sum of 16 columns: n and n + 8, then n and n + 4, then n and n + 2, then the last two.
INLINE float lane_tree(const float *column)
{
    float a[8], b[4];
    for (int n = 0; n < 8; n++)
        a[n] = column[n] + column[n + 8];
    for (int n = 0; n < 4; n++)
        b[n] = a[n] + a[n + 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}

INLINE void lane_bus_sum(const struct lane_bus *bus, struct stereo_block *out)
{
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        out->left[i] = lane_tree(bus->left[i]);
        out->right[i] = lane_tree(bus->right[i]);
    }
}
