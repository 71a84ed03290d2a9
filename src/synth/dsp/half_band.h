// Half-band low-pass between a rate and twice as much: what lies between the frames of a sound.
#pragma once
#include <string.h>

#include "synth/dsp/vector.h"
#include "synth/state.h"

// One side of it, Kaiser window of beta 6: the middle tap is 1, every second one 0. As an interpolator within .01 dB up
// to .375 of the rate, 68 dB down from .625 on.
static const float half_band_taps[HALF_BAND_TAPS] = {
    0.630087631f, -0.192664536f, 0.0969012269f, -0.052563523f, 0.0276828986f, -0.0132781206f, 0.00536597323f,
    -0.00153154972f,
};

// What lies half a frame after each of the frames HALF_BAND_TAPS - 1 on.   x: HALF_BAND_KEPT + frames.
INLINE void half_band_between(const float *x, int frames, float *out)
{
    memset(out, 0, (size_t)frames * sizeof *out);
    for (int k = 0; k < HALF_BAND_TAPS; k++)
        for (int i = 0; i < frames; i++)
            out[i] += (x[HALF_BAND_TAPS - 1 + i - k] + x[HALF_BAND_TAPS + i + k]) * half_band_taps[k];
}
