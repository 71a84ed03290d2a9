// The high-pass of the click detector: 14 kHz at 48 kHz, 127 taps, linear phase.
#pragma once
#include <stddef.h>

enum { HIGHPASS_TAPS = 127, HIGHPASS_DELAY = HIGHPASS_TAPS / 2 };

// Symmetric, so half of the taps say all: half[0] is the outermost, half[HIGHPASS_DELAY] the middle one.
struct highpass {
    float half[HIGHPASS_DELAY + 1];
};

// Source: windowed sinc with a Blackman window, unit gain at 24 kHz.
void highpass_init(struct highpass *highpass);
// Filters `frames` frames of interleaved stereo.
//   stereo: frames + HIGHPASS_TAPS - 1 frames; the middle tap of out[0] lies on frame HIGHPASS_DELAY of it.
//   out: frames frames, another buffer.
void highpass_run(const struct highpass *highpass, const float *stereo, float *out, size_t frames);
