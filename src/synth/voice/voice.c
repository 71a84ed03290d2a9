// Patches, the grid, and which levels there are.
#include "synth/voice/voice.h"

#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "synth/levels.h"
#include "synth/voice/work.h"

#define SYNTH_WIDTH 1
#include "synth/dsp/denormals.h"
#include "synth/dsp/math.h"

const struct voice_range voice_ranges[VOICE_PARAMETERS] = {
#define VOICE_PARAMETER(name, text, smallest, largest, curve, symmetric, unit)                                         \
    {text, unit, smallest, largest, curve, symmetric},
#include "synth/voice/parameters.def"
#undef VOICE_PARAMETER
};

enum { RANDOM_VOICE_UNIT = 0x766f6963, RANDOM_VOICE_NOISE };

static const struct voice_renderer *const levels[] = {
#define LEVEL(level) &voice_##level,
    SYNTH_LEVELS(LEVEL) NULL
#undef LEVEL
};

const struct voice_renderer *const *voice_renderer_list(void)
{
    return levels;
}

const struct voice_renderer *voice_renderer_best(void)
{
    const struct voice_renderer *best = levels[0];
    for (int n = 1; levels[n]; n++)
        if (levels[n]->available())
            best = levels[n];
    return best;
}

// x^(1 / curve), 0 <= x <= 1.
static float voice_curved(float x, float curve)
{
    return curve == 1 ? x : x > 0 ? exp2_of(log2_of(x) / curve) : 0;
}

static float voice_value(const struct voice_range *range, float unit)
{
    float x = unit > 0 ? unit < 1 ? unit : 1 : 0;
    float span = range->largest - range->smallest;
    if (!range->symmetric)
        return range->smallest + span * voice_curved(x, range->curve);
    float side = 2 * x - 1, size = voice_curved(side < 0 ? -side : side, range->curve);
    return range->smallest + span / 2 * ((side < 0 ? -size : size) + 1);
}

void voice_patch_from_units(struct voice_patch *patch, const float units[VOICE_PARAMETERS])
{
    for (int p = 0; p < VOICE_PARAMETERS; p++)
        patch->value[p] = voice_value(&voice_ranges[p], units[p]);
}

void voice_patch_from_seed(struct voice_patch *patch, uint64_t seed, uint64_t index)
{
    float units[VOICE_PARAMETERS];
    for (int p = 0; p < VOICE_PARAMETERS; p++)
        units[p] = (float)random_unit(seed, RANDOM_VOICE_UNIT, index * VOICE_PARAMETERS + (uint64_t)p);
    voice_patch_from_units(patch, units);
}

size_t voice_work_bytes(void)
{
    return sizeof(struct voice_work);
}

void voice_work_init(struct voice_work *work, int frames)
{
    check(frames >= VOICE_FRAMES_MIN && frames <= VOICE_FRAMES_MAX);
    memset(work, 0, sizeof *work);
    struct voice_grid *grid = &work->grid;
    int points = (frames * VOICE_CONTROL_RATE + VOICE_RATE / 2) / VOICE_RATE, intervals = points - 1;
    int64_t last_frame = frames - 1;
    grid->frames = frames;
    grid->points = points;
    grid->points_per_frame = (float)intervals / (float)last_frame;
    for (int n = 0; n < points; n++)
        grid->first[n] = n < intervals ? (int32_t)((n * last_frame + intervals - 1) / intervals) : frames;
    for (int n = 0; n < intervals; n++) {
        grid->late[n] = (float)(grid->first[n] * (int64_t)intervals - n * last_frame) / (float)last_frame;
        grid->last[n] = (float)(grid->first[n + 1] - grid->first[n] - 1);
        check(grid->last[n] >= VOICE_SEGMENT_MAX - VOICE_LANES && grid->last[n] < VOICE_SEGMENT_MAX);
    }
}

void voice_render(const struct voice_renderer *renderer, struct voice_work *work, const struct voice_patch *patches,
                  int first, int count, uint32_t noise_seed, float *out)
{
    denormals_state before = denormals_flush();
    for (int n = first; n < first + count; n++) {
        uint32_t noise = (uint32_t)random_u64(noise_seed, RANDOM_VOICE_NOISE, (uint64_t)n) | 1;
        renderer->render(work, &patches[n], noise, out + (size_t)n * (size_t)work->grid.frames);
    }
    denormals_restore(before);
}
