// Short-time power spectra of interleaved stereo at 48 kHz, both channels taken together. kissfft in floats, all that
// follows in doubles.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct stft {
    int size, hop;
    size_t filled;              // frames that wait
    float *window, *frames;     // Hann; what came last, interleaved
    float *in, *out;            // complex: left and right are real and imaginary part of one transform
    double *power;
    struct kiss_fft_state *fft;
};

// power: size / 2 + 1 bins of rate / size each; their sum is the mean square of a channel within the window.
typedef void stft_sink(void *context, const double *power);

// size: even.   hop: 1 .. size. False when memory is short; stft_finish is harmless then too.
bool stft_init(struct stft *stft, int size, int hop);
// Calls the sink for each window that these frames complete. Samples are finite.
// Source: P. D. Welch, The use of fast Fourier transform for the estimation of power spectra, 1967.
void stft_add(struct stft *stft, const float *stereo, size_t frames, stft_sink *sink, void *context);
void stft_finish(struct stft *stft);
