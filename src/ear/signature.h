// What tells one piece of music from another: which pitch classes sound, and how the power lies over the frequencies.
#pragma once
#include "ear/partials.h"
#include "ear/spectrum.h"

enum { SIGNATURE_COUNT = PARTIALS_CLASSES + SPECTRUM_BANDS };

// Summed over windows; all zero is the beginning.
struct signature {
    double chroma[PARTIALS_CLASSES];    // amplitudes, C first
    double bands[SPECTRUM_BANDS];       // power
};

// bands: power of the third-octaves.
void signature_add(struct signature *signature, const struct partials *partials, const double *bands);
void signature_merge(struct signature *signature, const struct signature *more);
// The level taken out: chroma of length one, then the third-octaves in dB of their sum, not under -70 dB. Zeroes for
// silence.
//   vector: SIGNATURE_COUNT values.
void signature_vector(const struct signature *signature, double *vector);
// 1 - the cosine of both chroma vectors, 0 .. 1.
double signature_chroma_distance(const struct signature *a, const struct signature *b);
// Root of the mean square difference of the third-octaves, dB.
double signature_timbre_distance_db(const struct signature *a, const struct signature *b);
