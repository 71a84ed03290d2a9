// Loudness by ITU-R BS.1770-4: K-weighting, 400 ms blocks, two gates. And sample peak and DC. 48 kHz stereo.
#pragma once
#include <stddef.h>

struct loudness {
    double integrated_lufs;     // -HUGE_VAL for silence
    double short_term_max_lufs; // 3 s, every 100 ms; -HUGE_VAL for less than 3 s
    double sample_peak;         // linear
    double dc_left, dc_right;   // mean
};

// stereo: interleaved. A sample that is not a number counts as silence and makes the peak HUGE_VAL.
// Errors: all-silent material gives -HUGE_VAL; material under 400 ms likewise. NaN everywhere when memory is short.
// Source: ITU-R BS.1770-4, annex 1 with tables 1 and 2; short term: EBU Tech 3341.
struct loudness loudness_measure(const float *stereo, size_t frames);
