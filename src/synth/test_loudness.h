// Loudness by libebur128, apart from the rest because its header and score/ both name a type `mode`. Tests only.
#pragma once
#include <stddef.h>

struct test_loudness {
    double integrated_lufs, true_peak_db;
};

// stereo: interleaved, 48 kHz.
struct test_loudness test_loudness(const float *stereo, size_t frames);
