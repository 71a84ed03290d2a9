#include "ear/levels.h"

#include <float.h>

#include "ear/decibel.h"

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
    double most = fmax(fabs(levels->sum[0]), fabs(levels->sum[1]));
    return levels->frames ? decibel_of_amplitude(most / (double)levels->frames) : NAN;
}
