#include "ear/levels.h"

#include <float.h>
#include <stdbool.h>

#include "base/frames.h"
#include "ear/decibel.h"

// A running mean that begins in the middle of a low note takes it for an offset; by then it has forgotten it.
enum { MEAN_SETTLES_FRAMES = 3 * FRAME_RATE };

// Two poles of half a second each.
static void levels_follow(struct levels *levels, size_t channel, double value, bool settled)
{
    const double share = 1 / (.5 * FRAME_RATE);
    double *mean = levels->mean[channel];
    mean[0] += share * (value - mean[0]);
    mean[1] += share * (mean[0] - mean[1]);
    if (settled && fabs(mean[1]) > levels->mean_most)
        levels->mean_most = fabs(mean[1]);
}

void levels_add(struct levels *levels, const float *stereo, size_t frames)
{
    for (size_t i = 0; i < 2 * frames; i++) {
        double level = fabs((double)stereo[i]);
        if (!(level <= FLT_MAX)) {
            levels->nonfinite++;
            continue;
        }
        levels->denormals += level > 0 && level < FLT_MIN;
        levels->peak = level > levels->peak ? level : levels->peak;
        levels->sum[i % 2] += stereo[i];
        levels->squares[i % 2] += level * level;
        levels_follow(levels, i % 2, stereo[i], levels->frames + i / 2 >= MEAN_SETTLES_FRAMES);
    }
    levels->frames += frames;
}

double levels_peak_dbfs(const struct levels *levels)
{
    return levels->frames ? decibel_of_amplitude(levels->peak) : NAN;
}

double levels_rms_dbfs(const struct levels *levels)
{
    if (levels->frames == 0)
        return NAN;
    return decibel_of_power((levels->squares[0] + levels->squares[1]) / (2 * (double)levels->frames));
}

double levels_crest_db(const struct levels *levels)
{
    return levels->peak > 0 ? levels_peak_dbfs(levels) - levels_rms_dbfs(levels) : NAN;
}

double levels_dc_dbfs(const struct levels *levels)
{
    if (levels->frames > MEAN_SETTLES_FRAMES)
        return decibel_of_amplitude(levels->mean_most);
    double most = fmax(fabs(levels->sum[0]), fabs(levels->sum[1]));
    return levels->frames ? decibel_of_amplitude(most / (double)levels->frames) : NAN;
}
