// True peak: the peak of the waveform between the samples, by four-fold oversampling. 48 kHz stereo.
#pragma once
#include <stddef.h>

enum { TRUE_PEAK_TAPS = 24, TRUE_PEAK_PHASES = 3, TRUE_PEAK_RUN = 96 };

struct true_peak {
    double taps[TRUE_PEAK_PHASES][TRUE_PEAK_TAPS];  // for a quarter, a half and three quarters of a sample
    double reach;                                   // no phase makes more than this of a full-scale signal
    double recent[2][TRUE_PEAK_TAPS - 1 + TRUE_PEAK_RUN];  // for each channel what came last, then what is new
    double peak;                                    // linear, the samples themselves included
};

void true_peak_init(struct true_peak *meter);
// stereo: interleaved. A sample that is not finite counts as silence.
void true_peak_add(struct true_peak *meter, const float *stereo, size_t frames);
// dBTP so far, the tail of the last samples included; -HUGE_VAL for silence.
// Source: ITU-R BS.1770-4, annex 2. The interpolator has twice its 48 taps: a sinc in a Kaiser window (beta 6), flat
// to 20 kHz, each phase with a gain of one.
double true_peak_dbtp(const struct true_peak *meter);
