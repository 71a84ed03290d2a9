// Loudness servo: measures what is composed by ITU-R BS.1770 weighting and moves its level slowly towards -18 LUFS,
// by 6 dB either way at most, and from there to the loudness that is wanted. What swells and sinks faster than that is
// evened out by more than half. The servo stands still where there is next to nothing to measure.
#pragma once
#include "synth/dsp/highpass.h"
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/mastering/rest.h"

#define SERVO_RANGE_DB 6.0f
#define SERVO_FREEZE_LUFS -40.0f
#define SERVO_FREEZE_POWER 1.17246531e-4f    // mean square, weighted, of these

// Loudness is measured at half the rate, on what lies between the last two frames, by these and their neighbours: with
// what follows within .1 dB up to 10 kHz. Above 12 kHz it folds back and counts all the same.   before: the last three.
INLINE float servo_halve(float before[3], float one, float other)
{
    float mean = (before[1] + before[2]) * 0.585f - (before[0] + one) * 0.085f;
    before[0] = before[2];
    before[1] = one;
    before[2] = other;
    return mean;
}

// First stage of the weighting, a shelf.   Source: ITU-R BS.1770-4, table 1, designed anew for 24 kHz.
INLINE float servo_shelf(float memory[2], float in)
{
    float out = 1.48790022f * in + memory[0];
    memory[0] = -2.24620547f * in + 1.39023461f * out + memory[1];
    memory[1] = 0.904909123f * in - 0.536838481f * out;
    return out;
}

// Second stage, the high-pass of table 2 in state-variable form.
INLINE float servo_weigh(struct mastering_filters *f, int channel, float in)
{
    static const struct highpass rumble = {{0.980193472f, 0.0098850524f, 4.93458152e-5f}, 1.99869271f};
    return highpass_tick(&rumble, f->rumble[channel], servo_shelf(f->shelf[channel], in));
}

#define LEVEL_SHARE 0.6f        // of what a second or two are louder or softer than wanted
#define LEVEL_MOST_DB 9.0f
#define LEVEL_KNEE_DB 6.0f      // so far above where the servo stands still it begins to let go

// The gain in dB, either way, by which a swell is made less of one.   loudness: what is wanted.
INLINE void servo_level(struct mastering *m, float loudness)
{
    float lufs = SERVO_TARGET_LUFS + 3.01029996f * log2_of(m->momentary / SERVO_TARGET_POWER + 1e-9f);
    vf over = vf_clamp(vf_set(lufs + m->servo_db - loudness), -LEVEL_MOST_DB, LEVEL_MOST_DB);
    vf heard = vf_clamp(vf_set((lufs - SERVO_FREEZE_LUFS) * (1.0f / LEVEL_KNEE_DB)), 0.0f, 1.0f);
    m->level_db += (vf_first(over * heard) * -LEVEL_SHARE - m->level_db) * 1.902950e-3f;    // 700 ms
}

// The gain in dB that a block's weighted mean square leads to.
INLINE void servo_follow(struct mastering *m, float power, float loudness)
{
    m->momentary += (power - m->momentary) * 0.003327784f;      // 400 ms
    if (m->momentary > SERVO_FREEZE_POWER)
        m->slow += (power - m->slow) * 1.111049e-4f;            // 12 s
    float wanted_db = 3.01029996f * log2_of(SERVO_TARGET_POWER / (m->slow + 1e-9f));
    wanted_db = wanted_db > -SERVO_RANGE_DB ? wanted_db : -SERVO_RANGE_DB;
    wanted_db = wanted_db < SERVO_RANGE_DB ? wanted_db : SERVO_RANGE_DB;
    m->servo_db += (wanted_db + (loudness - SERVO_TARGET_LUFS) - m->servo_db) * 4.443457e-4f;    // 3 s
    servo_level(m, loudness);
}

// power: the block's mean square, weighted.   loudness: LUFS.
INLINE void servo_render(struct mastering *m, float power, float loudness, struct stereo_block *b)
{
    servo_follow(m, power, loudness);
    float from = m->servo_gain, to = mastering_gain(m->servo_db + m->level_db);
    float step = (to - from) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        b->left[i] *= from + (float)i * step;
        b->right[i] *= from + (float)i * step;
    }
    m->servo_gain = to;
}
