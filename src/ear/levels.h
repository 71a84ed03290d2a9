// What every sample says by itself: peak, RMS, crest, DC, and what is no audio. Interleaved stereo.
#pragma once
#include <stddef.h>
#include <stdint.h>

// All zero is the beginning.
struct levels {
    uint64_t frames;
    uint64_t nonfinite;     // samples that are infinite or not a number; they count as silence
    uint64_t denormals;     // samples too small for a normal float, and not zero
    double peak;            // linear
    double sum[2], squares[2];
    double mean[2][2];      // the running mean of each channel, after each of its two poles
    double mean_most;       // that either has come to, linear
};

void levels_add(struct levels *levels, const float *stereo, size_t frames);
// The readings are NAN before the first frame; silence has no crest either.
double levels_peak_dbfs(const struct levels *levels);
// Of both channels; a full-scale sine has -3.01.
double levels_rms_dbfs(const struct levels *levels);
// Peak over RMS, dB, >= 0.
double levels_crest_db(const struct levels *levels);
// The largest running mean of the channel that has more of it, over some two seconds, in which the lowest notes (32 Hz)
// are 80 dB down. Of less than three seconds the mean of all.
double levels_dc_dbfs(const struct levels *levels);
