// Loudness by libebur128.
#include "synth/test_loudness.h"

#include <ebur128.h>
#include <math.h>

#include "base/frames.h"

struct test_loudness test_loudness(const float *stereo, size_t frames)
{
    ebur128_state *meter = ebur128_init(CHANNELS, FRAME_RATE, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
    double left, right;
    struct test_loudness loudness;
    ebur128_add_frames_float(meter, stereo, frames);
    ebur128_loudness_global(meter, &loudness.integrated_lufs);
    ebur128_true_peak(meter, 0, &left);
    ebur128_true_peak(meter, 1, &right);
    loudness.true_peak_db = 20 * log10(left > right ? left : right);
    ebur128_destroy(&meter);
    return loudness;
}
