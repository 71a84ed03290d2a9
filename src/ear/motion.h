// What begins, and whether it begins in time with a grid that can be heard. Interleaved stereo at 48 kHz.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "ear/series.h"
#include "ear/stft.h"

enum {
    MOTION_SIZE = 2048,
    MOTION_HOP = 1024,      // 21 ms
    MOTION_BANDS = 22,      // third-octaves from 100 Hz to 12.7 kHz
};

struct motion_meter {
    struct stft stft;
    double bands[MOTION_BANDS];     // loudness of each in the last window
    int edges[MOTION_BANDS + 1];    // first bin of each
    bool begun;
    struct series rise, loudness;   // by window: the sum of what grew, and of all
};

struct motion {
    double onsets_per_s;        // NAN for less than a second, in all of these
    double grid_correlation;    // the highest peak of the autocorrelation of the onset strength from .2 to 10 s, 0 .. 1
    double grid_lag_s;          // where it lies; NAN when there is none
};

// False when memory is short; motion_finish is harmless then too.
bool motion_init(struct motion_meter *meter);
// Samples are finite.
void motion_add(struct motion_meter *meter, const float *stereo, size_t frames);
// Spectral flux: what grows, from one window to the next, of the loudness (power ^ .3) in third-octaves, over the mean
// loudness within a second around. Onsets are its peaks that stand out by a tenth of all loudness. For the grid the flux
// above its mean of half a second either side is held against itself, shifted. NAN when memory is short.
// Source: S. Dixon, Onset detection revisited, 2006; D. Ellis, Beat tracking by dynamic programming, 2007.
struct motion motion_read(const struct motion_meter *meter);
void motion_finish(struct motion_meter *meter);
