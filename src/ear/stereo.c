#include "ear/stereo.h"

#include "base/frames.h"
#include "ear/decibel.h"

static const double bass_hz = 120, bass_floor_dbfs = -70;
static const double butterworth_q[2] = {.54119610014619698, 1.3065629648763766};

static void stereo_sum(struct stereo_sums *sums, double left, double right)
{
    sums->left += left * left;
    sums->right += right * right;
    sums->both += left * right;
}

void stereo_add(struct stereo *meter, const float *stereo, size_t frames)
{
    const struct biquad stages[2] = {biquad_low_pass(bass_hz, butterworth_q[0], FRAME_RATE),
                                     biquad_low_pass(bass_hz, butterworth_q[1], FRAME_RATE)};
    for (size_t i = 0; i < frames; i++) {
        double channels[2], bass[2];
        for (size_t n = 0; n < 2; n++) {
            float sample = stereo[2 * i + n];
            channels[n] = isfinite(sample) ? (double)sample : 0;
            bass[n] = biquad_run(&stages[0], &meter->states[n][0], channels[n]);
            bass[n] = biquad_run(&stages[1], &meter->states[n][1], bass[n]);
        }
        stereo_sum(&meter->all, channels[0], channels[1]);
        stereo_sum(&meter->bass, bass[0], bass[1]);
    }
    for (int i = 0; i < 4; i++)
        biquad_settle(&meter->states[i / 2][i % 2]);
    meter->frames += frames;
}

static double stereo_ratio(const struct stereo_sums *sums)
{
    double scale = sqrt(sums->left * sums->right);
    return scale > 0 ? sums->both / scale : NAN;
}

double stereo_correlation(const struct stereo *meter)
{
    return stereo_ratio(&meter->all);
}

double stereo_bass_correlation(const struct stereo *meter)
{
    if (meter->frames == 0)
        return NAN;
    double floor = decibel_to_power(bass_floor_dbfs) * (double)meter->frames;
    return meter->bass.left + meter->bass.right < 2 * floor ? 1 : stereo_ratio(&meter->bass);
}

double stereo_fold_down_loss_db(const struct stereo *meter)
{
    double channels = (meter->all.left + meter->all.right) / 2;
    double mono = (meter->all.left + meter->all.right + 2 * meter->all.both) / 4;
    if (!(channels > 0))
        return NAN;
    return mono > channels * 1e-15 ? decibel_of_power(channels / mono) : HUGE_VAL;
}
