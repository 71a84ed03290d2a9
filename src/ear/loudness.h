// Loudness by ITU-R BS.1770-4: K-weighting, 400 ms blocks, two gates. 48 kHz stereo, fed piece by piece.
#pragma once
#include <stddef.h>

#include "ear/biquad.h"
#include "ear/series.h"

struct loudness {
    double integrated_lufs;     // -HUGE_VAL for silence and for less than 400 ms
    double momentary_max_lufs;  // 400 ms, every 100 ms; -HUGE_VAL likewise
    double short_term_max_lufs; // 3 s, every 100 ms; -HUGE_VAL for silence and for less than 3 s
    double short_term_move_lu;  // the largest difference of two short-term values within 10 s; NAN for less than 3 s
    double short_term_move_at_s; // where the 10 s begin; NAN when nothing moves
    double range_lu;            // loudness range; NAN for less than 3 s and for silence
};

// All zero is the beginning.
struct loudness_meter {
    struct biquad_state states[2][2];   // by channel and stage
    double energy;                      // of the step that is not complete: sum of squares, K-weighted
    size_t filled;                      // frames in it
    struct series steps;                // energy of every 100 ms
};

// stereo: interleaved. A sample that is not finite counts as silence.
void loudness_add(struct loudness_meter *meter, const float *stereo, size_t frames);
// What it is so far; what was heard under -70 LUFS is left out of everything but the maxima, and a move is looked for
// among what lies at most 20 LU below the integrated loudness. NAN everywhere when memory is short.
// Source: ITU-R BS.1770-4, annex 1 with tables 1 and 2; momentary, short term: EBU Tech 3341; range: EBU Tech 3342,
// with a short-term value each second.
struct loudness loudness_read(const struct loudness_meter *meter);
void loudness_finish(struct loudness_meter *meter);
// All at once.
struct loudness loudness_measure(const float *stereo, size_t frames);
