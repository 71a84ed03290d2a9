// The long-term average spectrum: what the material sounds like as a whole. Fed with the powers of `stft`.
#pragma once
#include <stdint.h>

enum {
    SPECTRUM_SIZE = 8192,                   // frames of a window: bins of 5.9 Hz
    SPECTRUM_HOP = SPECTRUM_SIZE / 2,
    SPECTRUM_BINS = SPECTRUM_SIZE / 2 + 1,
    SPECTRUM_BANDS = 28,                    // third-octaves from 31.5 Hz to 16 kHz
};

enum spectrum_zone { ZONE_SUB, ZONE_LOW, ZONE_MIDDLE, ZONE_HIGH, ZONE_AIR, ZONES };

// All zero is the beginning.
struct spectrum {
    double power[SPECTRUM_BINS];    // summed over the windows
    uint64_t windows;
};

void spectrum_add(struct spectrum *spectrum, const double *power);

// The readings are NAN for silence and before the first window.

// dB per octave: the straight line, by least squares, through the power density (dB per Hz) of the third-octaves from
// 100 Hz to 10 kHz. White noise has 0, pink -3, brown -6.
double spectrum_slope_db_per_octave(const struct spectrum *spectrum);
// The mean of the frequency, weighed by power, Hz.
double spectrum_centroid_hz(const struct spectrum *spectrum);
// Geometric over arithmetic mean of the bins from 100 Hz to 10 kHz, dB, <= 0: 0 for white noise, far below for tones.
double spectrum_flatness_db(const struct spectrum *spectrum);
// Share of the power within a zone, dB: sub 20-60 Hz, low to 250, middle to 2000, high to 6000, air to 20000.
double spectrum_zone_db(const struct spectrum *spectrum, enum spectrum_zone zone);

// The power of a spectrum within [from_hz, to_hz); a bin at the edge counts by the share of it that lies inside.
double spectrum_within(const double *power, double from_hz, double to_hz);
// Power of each third-octave.   Source: IEC 61260-1, exact centres 1000 * 10^(n/10) Hz, base ten.
void spectrum_bands(const double *power, double *bands);
double spectrum_band_hz(int band);
