#include "base/frames.h"
#include "compose/daylight.h"
#include "compose/ensemble.h"
#include "compose/form.h"
#include "compose/hours.h"
#include "compose/layers.h"
#include "compose/noise.h"
#include "compose/purpose.h"

// Periods of the slow curves have no common multiple within a day, so their states never come back together.
#define BRIGHTNESS_FRAMES ((uint64_t)97 * FRAME_RATE)
#define MOTION_FRAMES ((uint64_t)61 * FRAME_RATE)
#define SPACE_FRAMES ((uint64_t)131 * FRAME_RATE)
#define LAYER_FRAMES ((uint64_t)73 * FRAME_RATE)
#define JOIN_FRAMES ((uint64_t)30 * FRAME_RATE)

static float mix_clamp(double value)
{
    return (float)(value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value);
}

// The first tenth of the parameter brings more than the others: little weather is weather all the same.
static double mix_weather(double texture)
{
    return 0.9 * texture + 0.5 * (texture < 0.1 ? texture : 0.1);
}

// A layer breathes by a share of its level, so that a soft one stays soft and what comes to nothing does so gently.
static void mix_gains(const struct program *program, uint64_t frame, const struct mood *mood, double drone,
                      float *gain)
{
    const bool enabled[LAYER_COUNT] = {mood->enable_pads, mood->enable_melody, mood->enable_kicks,
                                       mood->enable_swells, mood->enable_melody, mood->enable_pads, true};
    const double base[LAYER_COUNT] = {0.85, 0.52, 0.7, 0.65, 0.42, 0.85 * drone, mix_weather(mood->texture)};
    for (uint64_t layer = 0; layer < LAYER_COUNT; layer++) {
        double breath = noise_at(program->seed, PURPOSE_MIX_LAYER + layer, frame, LAYER_FRAMES + layer * FRAME_RATE);
        double level = base[layer] * (1.0 + 0.2 * (mood->intensity - 0.5) + 0.3 * (breath - 0.5));
        gain[layer] = enabled[layer] ? mix_clamp(level) : 0.0f;
    }
}

// What the section adds: comes in over half a minute, so that sections meet without a step.
static struct palette mix_palette(const struct program *program, uint64_t frame)
{
    struct section section = section_at(program->seed, frame);
    struct palette palette = *section.palette;
    if (section.from == 0 || frame - section.from >= JOIN_FRAMES)
        return palette;
    const struct palette *before = section_at(program->seed, section.from - 1).palette;
    double share = (double)(frame - section.from) / (double)JOIN_FRAMES;
    palette.brightness = before->brightness + (palette.brightness - before->brightness) * share;
    palette.space = before->space + (palette.space - before->space) * share;
    return palette;
}

struct mix mix_at(const struct program *program, uint64_t frame)
{
    struct mood mood = mood_log_mood(program->log, frame);
    double day = daylight_at(program, frame, &mood) - 0.5;
    struct ensemble_amounts amounts = ensemble_amounts(program, frame);
    struct palette palette = mix_palette(program, frame);
    struct hours hours = hours_at(program->seed, frame);
    double brightness = noise_at(program->seed, PURPOSE_MIX_BRIGHTNESS, frame, BRIGHTNESS_FRAMES) - 0.5;
    double motion = noise_at(program->seed, PURPOSE_MIX_MOTION, frame, MOTION_FRAMES) - 0.5;
    double space = noise_at(program->seed, PURPOSE_MIX_SPACE, frame, SPACE_FRAMES) - 0.5;
    struct mix mix = {
        .brightness = mix_clamp(0.2 + 0.5 * mood.intensity + 0.25 * brightness + palette.brightness +
                                hours.brightness + 0.6 * (mood.brightness - 0.5) + 0.25 * day),
        .motion = mix_clamp(0.25 + 0.4 * mood.intensity + 0.3 * motion),
        .space = mix_clamp(0.65 - 0.25 * mood.intensity + 0.25 * space + palette.space + hours.space +
                           0.7 * (mood.space - 0.5)),
    };
    mix.warmth = mix_clamp(mood.warmth - 0.2 * day);
    mix.shimmer = (float)amounts.shimmer;
    mix.chorus = (float)amounts.chorus;
    mix.echo = (float)amounts.echo;
    mix.freeze = mood.freeze ? 1.0f : 0.0f;
    mix.loudness = (float)amounts.loudness;
    mix_gains(program, frame, &mood, amounts.drone, mix.gain);
    return mix;
}

static void mix_add(const struct program *program, uint64_t frame, struct events *events)
{
    events_add(events, &(struct event){.at_frame = frame, .kind = EVENT_MIX, .mix = mix_at(program, frame)});
}

void mix_compose(const struct program *program, struct events *events)
{
    uint64_t second = frames_round_up(events->from, FRAME_RATE);
    for (; second < events->to; second += FRAME_RATE)
        mix_add(program, second, events);
    const struct mood_entry *entry = mood_log_at(program->log, events->from > 0 ? events->from - 1 : 0);
    while ((entry = mood_log_next(program->log, entry)) && entry->at_frame < events->to)
        if (entry->at_frame % FRAME_RATE != 0)
            mix_add(program, entry->at_frame, events);
}
