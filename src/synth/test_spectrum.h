// What is where in a spectrum. Tests only.
#pragma once

enum { SPECTRUM_SIZE = 65536, SPECTRUM_BINS = SPECTRUM_SIZE / 2 + 1, SPECTRUM_LOBE_BINS = 8 };

struct test_spectrum {
    double power[SPECTRUM_BINS];
};

struct off_harmonics {
    double low_db, high_db;  // under and above 2 kHz, over the whole tone
};

// Of SPECTRUM_SIZE frames, every `stride`-th number of x.
void test_spectrum_take(struct test_spectrum *spectrum, const float *x, int stride);
// What lies further than skirt_bins from every harmonic of f0_hz.
struct off_harmonics test_spectrum_off_harmonics(const struct test_spectrum *spectrum, double f0_hz, int skirt_bins);
// Mean frequency of what lies within reach_hz of hz, weighted by power.
double test_spectrum_hz(const struct test_spectrum *spectrum, double hz, double reach_hz);
// Power of what lies within reach_hz of hz.
double test_spectrum_power(const struct test_spectrum *spectrum, double hz, double reach_hz);
