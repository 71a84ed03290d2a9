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
    MOTION_LAG = 3,         // windows that a rise may take
};

struct motion_meter {
    struct stft stft;
    double bands[MOTION_LAG][MOTION_BANDS];     // loudness of each in the last windows, window n at n % MOTION_LAG
    int edges[MOTION_BANDS + 1];    // first bin of each
    size_t windows;
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
// Spectral flux: what grows, within three windows, of the loudness (power ^ .3) in third-octaves, over the mean
// loudness within half a second either side. Onsets are its peaks that stand out of their surroundings by .075: a kick
// does, a soft note in much reverberation does not. For the grid the flux above its mean of half a second either side
// is held against itself, shifted. NAN when memory is short.
// Source: S. Dixon, Onset detection revisited, 2006; S. Boeck and G. Widmer, Maximum filter vibrato suppression for
// onset detection, 2013 (the lag); D. Ellis, Beat tracking by dynamic programming, 2007 (the autocorrelation).
struct motion motion_read(const struct motion_meter *meter);
void motion_finish(struct motion_meter *meter);
