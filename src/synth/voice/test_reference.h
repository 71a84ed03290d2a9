// The Voice once more, for tests: torchsynth's formulas one by one, signal by signal, with libm.
#pragma once
#include <stdint.h>

#include "synth/voice/voice.h"

// In double precision.   out: `frames` samples.   Errors: aborts when memory is short.
void reference_double(const struct voice_patch *patch, uint32_t noise, int frames, double *out);
// The same formulas in single precision, sums over time accumulated in double and then rounded: what torchsynth on a
// CPU computes. How far this is from the above tells what single precision can be asked for.
void reference_float(const struct voice_patch *patch, uint32_t noise, int frames, double *out);
