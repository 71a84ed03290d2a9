#include "ear/highpass.h"

#include <math.h>

enum { LANES = 32 };

void highpass_init(struct highpass *highpass)
{
    const double cutoff = 14000. / 48000.;
    double taps[HIGHPASS_DELAY + 1], gain = 0;
    for (int i = 0; i <= HIGHPASS_DELAY; i++) {
        int from_middle = HIGHPASS_DELAY - i;
        double sinc = from_middle ? -sin(2 * M_PI * cutoff * from_middle) / (M_PI * from_middle) : 1 - 2 * cutoff;
        double turn = 2 * M_PI * i / (HIGHPASS_TAPS - 1);
        taps[i] = sinc * (.42 - .5 * cos(turn) + .08 * cos(2 * turn));
        gain += taps[i] * (from_middle % 2 ? -1 : 1) * (from_middle ? 2 : 1);
    }
    for (int i = 0; i <= HIGHPASS_DELAY; i++)
        highpass->half[i] = (float)(taps[i] / gain);
}

// Both channels at once: interleaved, a sample's neighbours of its own channel stand 2 apart.
static inline void highpass_lanes(const struct highpass *highpass, const float *in, float *out)
{
    float sum[LANES];
    for (int lane = 0; lane < LANES; lane++)
        sum[lane] = highpass->half[HIGHPASS_DELAY] * in[2 * HIGHPASS_DELAY + lane];
    for (int i = 0; i < HIGHPASS_DELAY; i++) {
        const float *early = in + 2 * i, *late = in + 2 * (HIGHPASS_TAPS - 1 - i);
        for (int lane = 0; lane < LANES; lane++)
            sum[lane] += highpass->half[i] * (early[lane] + late[lane]);
    }
    for (int lane = 0; lane < LANES; lane++)
        out[lane] = sum[lane];
}

static float highpass_one(const struct highpass *highpass, const float *in)
{
    float sum = highpass->half[HIGHPASS_DELAY] * in[2 * HIGHPASS_DELAY];
    for (int i = 0; i < HIGHPASS_DELAY; i++)
        sum += highpass->half[i] * (in[2 * i] + in[2 * (HIGHPASS_TAPS - 1 - i)]);
    return sum;
}

void highpass_run(const struct highpass *highpass, const float *stereo, float *out, size_t frames)
{
    size_t at = 0;
    for (; at + LANES <= 2 * frames; at += LANES)
        highpass_lanes(highpass, stereo + at, out + at);
    for (; at < 2 * frames; at++)
        out[at] = highpass_one(highpass, stereo + at);
}
