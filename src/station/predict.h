// Carries a sound on by linear prediction: what follows is what the resonances heard so far would give by themselves.
#pragma once

enum { PREDICT_ORDER = 64, PREDICT_FRAMES = 4096 };

// known: the last PREDICT_FRAMES frames, oldest first.   next: out, `frames` of them. Dies away; never grows.
// Source: J. P. Burg, Maximum entropy spectral analysis, 37th meeting of the SEG (1967).
void predict(const float *known, float *next, int frames);
