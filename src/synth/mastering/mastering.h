// The last stage: tilt, no DC, lows in the middle, steady loudness, a little grit, a ceiling.
#pragma once
#include "synth/mastering/limiter.h"
#include "synth/mastering/saturation.h"
#include "synth/mastering/servo.h"

// One-pole high-pass at 8 Hz.
INLINE float mastering_dc(struct mastering_filters *f, int channel, float in)
{
    f->dc_out[channel] = in - f->dc_in[channel] + 0.99895280f * f->dc_out[channel];
    f->dc_in[channel] = in;
    return f->dc_out[channel];
}

#define TILT_DB 4.0f           // of the lows, and of the highs the other way, at either end
#define TILT_MIDDLE_DB -2.6f   // in the middle: instruments are darker than what people leave on

// Lows and highs apart at 650 Hz by one pole, and each with a gain that moves in a straight line: they sum up to what
// came in where both gains are 1.
INLINE void mastering_tilt(struct mastering *m, float warmth, struct stereo_block *b)
{
    const float pole = 0.0815747f;    // 1 - exp(-2 pi 650 / 48000)
    float low_to = exp2_of(((warmth - 0.5f) * (2.0f * TILT_DB) + TILT_MIDDLE_DB) * (1.0f / 6.0206f));
    float high_to = 1.0f / low_to;
    float low = m->tilt_low, high = m->tilt_high, left = m->filters.tilt[0], right = m->filters.tilt[1];
    float low_step = (low_to - low) * (1.0f / CONTROL_FRAMES), high_step = (high_to - high) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        low += low_step;
        high += high_step;
        left += (b->left[i] - left) * pole;
        right += (b->right[i] - right) * pole;
        b->left[i] = left * low + (b->left[i] - left) * high;
        b->right[i] = right * low + (b->right[i] - right) * high;
    }
    m->filters.tilt[0] = left;
    m->filters.tilt[1] = right;
    m->tilt_low = low_to;
    m->tilt_high = high_to;
}

struct stereo_frame {
    float left, right;
};

// Takes the DC from a frame and cuts what differs between the sides below 320 Hz.
INLINE struct stereo_frame mastering_clean(struct mastering_filters *f, struct stereo_block *b, int i)
{
    static const struct highpass side_cut = {0.970815039f, 0.0203356761f, 0.000425971691f, 1.41421356f};
    float left = mastering_dc(f, 0, b->left[i]), right = mastering_dc(f, 1, b->right[i]);
    float middle = (left + right) * 0.5f;
    float side = highpass_tick(&side_cut, f->side, (left - right) * 0.5f);
    b->left[i] = middle + side;
    b->right[i] = middle - side;
    return (struct stereo_frame){middle + side, middle - side};
}

// Cleans the block. Returns its mean square, weighted: measured in the same loop, whose filters then run side by side.
INLINE float mastering_measure(struct mastering *m, struct stereo_block *b)
{
    struct mastering_filters f = m->filters;
    float power = 0;
    for (int i = 0; i < CONTROL_FRAMES; i += 2) {
        struct stereo_frame one = mastering_clean(&f, b, i), other = mastering_clean(&f, b, i + 1);
        float left = servo_weigh(&f, 0, (one.left + other.left) * 0.5f);
        float right = servo_weigh(&f, 1, (one.right + other.right) * 0.5f);
        power += left * left + right * right;
    }
    m->filters = f;
    return power * (2.0f / CONTROL_FRAMES);
}

// b: changed on the way.   out: interleaved, of SYNTH_LOOKAHEAD frames ago.
INLINE void mastering_render(struct mastering *m, uint64_t frame, const struct mix *mix, struct stereo_block *b,
                             float *out)
{
    mastering_tilt(m, mix->warmth, b);
    servo_render(m, mastering_measure(m, b), mix->loudness, b);
    saturation_render(&m->saturation, mix->warmth, b);
    limiter_render(m, frame, b, out);
}
