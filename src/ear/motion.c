#include "ear/motion.h"

#include <math.h>
#include <stdlib.h>

#include "base/frames.h"

static const double lowest_hz = 100, loudness_exponent = .3, silence_power = 1e-9;
static const double windows_per_s = (double)FRAME_RATE / MOTION_HOP;
static const double onset_least = .075, shortest_lag_s = .2, longest_lag_s = 10;
enum { NEAR = (int)(.5 * FRAME_RATE / MOTION_HOP), APART = 3 };

bool motion_init(struct motion_meter *meter)
{
    *meter = (struct motion_meter){.windows = 0};
    const double bin_hz = (double)FRAME_RATE / MOTION_SIZE;
    for (int band = 0; band <= MOTION_BANDS; band++)
        meter->edges[band] = (int)lround(lowest_hz * pow(10, (band - .5) / 10.) / bin_hz);
    for (int band = 1; band <= MOTION_BANDS; band++)
        if (meter->edges[band] <= meter->edges[band - 1])
            meter->edges[band] = meter->edges[band - 1] + 1;
    return stft_init(&meter->stft, MOTION_SIZE, MOTION_HOP);
}

static void motion_window(void *context, const double *power)
{
    struct motion_meter *meter = context;
    double rise = 0, all = 0, *bands = meter->bands[meter->windows % MOTION_LAG];
    for (int band = 0; band < MOTION_BANDS; band++) {
        double sum = silence_power;
        for (int bin = meter->edges[band]; bin < meter->edges[band + 1]; bin++)
            sum += power[bin];
        double loudness = pow(sum, loudness_exponent);
        rise += loudness > bands[band] ? loudness - bands[band] : 0;
        all += loudness;
        bands[band] = loudness;
    }
    series_add(&meter->rise, meter->windows < MOTION_LAG ? 0 : rise);
    series_add(&meter->loudness, all);
    meter->windows++;
}

void motion_add(struct motion_meter *meter, const float *stereo, size_t frames)
{
    stft_add(&meter->stft, stereo, frames, motion_window, meter);
}

// means[i]: over NEAR values either side.
static void motion_means(const double *values, size_t count, double *means)
{
    double sum = 0;
    size_t from = 0, to = 0;
    for (size_t i = 0; i < count; i++) {
        while (to < count && to <= i + NEAR)
            sum += values[to++];
        while (from + NEAR < i)
            sum -= values[from++];
        means[i] = sum / (double)(to - from);
    }
}

// How much each window stands out of its surroundings.
static bool motion_strength(const struct motion_meter *meter, double *strength)
{
    size_t count = meter->rise.count;
    double *means = malloc((count + 1) * sizeof *means);
    if (!means)
        return false;
    motion_means(meter->loudness.values, count, means);
    for (size_t i = 0; i < count; i++)
        strength[i] = meter->rise.values[i] / means[i];
    motion_means(strength, count, means);
    for (size_t i = 0; i < count; i++)
        strength[i] = strength[i] > means[i] ? strength[i] - means[i] : 0;
    free(means);
    return true;
}

static bool motion_is_onset(const double *strength, size_t count, size_t at)
{
    if (strength[at] < onset_least)
        return false;
    for (size_t i = at < APART ? 0 : at - APART; i < count && i <= at + APART; i++)
        if (i < at ? strength[i] >= strength[at] : strength[i] > strength[at])
            return false;
    return true;
}

static double motion_product(const double *values, size_t count, size_t lag)
{
    double sum = 0;
    for (size_t i = 0; i + lag < count; i++)
        sum += values[i] * values[i + lag];
    return sum;
}

// The highest local maximum; short material has no long lags.
static void motion_grid(double *strength, size_t count, struct motion *motion)
{
    double mean = 0;
    for (size_t i = 0; i < count; i++)
        mean += strength[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        strength[i] -= mean;
    double all = motion_product(strength, count, 0), before = HUGE_VAL, here = HUGE_VAL;
    size_t last = (size_t)(longest_lag_s * windows_per_s);
    motion->grid_correlation = 0;
    motion->grid_lag_s = NAN;
    for (size_t lag = (size_t)(shortest_lag_s * windows_per_s); all > 0 && lag <= last + 1 && lag < count; lag++) {
        double after = motion_product(strength, count, lag) / all;
        if (here > before && here >= after && here > motion->grid_correlation) {
            motion->grid_correlation = here;
            motion->grid_lag_s = (double)(lag - 1) / windows_per_s;
        }
        before = here;
        here = after;
    }
}

struct motion motion_read(const struct motion_meter *meter)
{
    struct motion motion = {NAN, NAN, NAN};
    size_t count = meter->rise.count, onsets = 0;
    double *strength = malloc((count + 1) * sizeof *strength);
    bool good = strength && !meter->rise.failed && !meter->loudness.failed && count >= windows_per_s;
    if (good && motion_strength(meter, strength)) {
        for (size_t i = 0; i < count; i++)
            onsets += motion_is_onset(strength, count, i);
        motion.onsets_per_s = (double)onsets * windows_per_s / (double)count;
        motion_grid(strength, count, &motion);
    }
    free(strength);
    return motion;
}

void motion_finish(struct motion_meter *meter)
{
    stft_finish(&meter->stft);
    series_finish(&meter->rise);
    series_finish(&meter->loudness);
}
