// How the two channels stand to each other. Interleaved stereo at 48 kHz.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ear/biquad.h"

// Products of left and right, summed.
struct stereo_sums {
    double left, right, both;
};

// All zero is the beginning.
struct stereo {
    uint64_t frames;
    struct stereo_sums all, bass;
    struct biquad_state states[2][2];   // of the low-pass, by channel and stage
};

// What is not finite counts as silence.
void stereo_add(struct stereo *meter, const float *stereo, size_t frames);
// -1 .. 1; NAN when a channel is silent.
double stereo_correlation(const struct stereo *meter);
// The same below 120 Hz (Butterworth, 24 dB per octave). 1 where the bass stays below -70 dBFS, for there is nothing
// that could be out of phase. NAN before the first frame.
double stereo_bass_correlation(const struct stereo *meter);
// What is lost when both channels are played by one loudspeaker: mean power of the channels over the power of their
// mean, dB. 0 for equal channels, 3 for unrelated ones, HUGE_VAL for opposite ones. NAN for silence.
double stereo_fold_down_loss_db(const struct stereo *meter);
