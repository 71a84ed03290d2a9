// The last stage: tilt, no DC, lows in the middle, steady loudness, a little grit, a ceiling.
#pragma once
#include "synth/dsp/recur.h"
#include "synth/mastering/limiter.h"
#include "synth/mastering/saturation.h"
#include "synth/mastering/servo.h"

// One-pole high-pass at 8 Hz.
INLINE void mastering_dc(struct mastering_filters *f, int channel, float *x)
{
    float last = x[CONTROL_FRAMES - 1];
    for (int i = CONTROL_FRAMES - 1; i > 0; i--)
        x[i] -= x[i - 1];
    x[0] -= f->dc_in[channel];
    f->dc_in[channel] = last;
    f->dc_out[channel] = recur(x, 0.99895280f, f->dc_out[channel]);
}

#define TILT_DB 4.0f           // of the lows, and of the highs the other way, at either end
#define TILT_MIDDLE_DB -2.6f   // in the middle: instruments are darker than what people leave on

struct tilt_gains {
    float low, high, low_step, high_step;    // at the beginning of a block, and per frame
};

INLINE void tilt_side(float *memory, const struct tilt_gains *gains, float *x)
{
    const float pole = 0.0815747f;    // 1 - exp(-2 pi 650 / 48000)
    float lows[CONTROL_FRAMES];
    *memory = recur_low(x, pole, *memory, lows);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float at = (float)(i + 1), low = gains->low + at * gains->low_step, high = gains->high + at * gains->high_step;
        x[i] = lows[i] * low + (x[i] - lows[i]) * high;
    }
}

// Lows and highs apart at 650 Hz by one pole, and each with a gain that moves in a straight line: they sum up to what
// came in where both gains are 1.
INLINE void mastering_tilt(struct mastering *m, float warmth, struct stereo_block *b)
{
    float low_to = exp2_of(((warmth - 0.5f) * (2.0f * TILT_DB) + TILT_MIDDLE_DB) * (1.0f / 6.0206f));
    float high_to = 1.0f / low_to;
    struct tilt_gains gains = {m->tilt_low, m->tilt_high, (low_to - m->tilt_low) * (1.0f / CONTROL_FRAMES),
                               (high_to - m->tilt_high) * (1.0f / CONTROL_FRAMES)};
    tilt_side(&m->filters.tilt[0], &gains, b->left);
    tilt_side(&m->filters.tilt[1], &gains, b->right);
    m->tilt_low = low_to;
    m->tilt_high = high_to;
}

struct stereo_frame {
    float left, right;
};

// Cuts what differs between the sides of a frame below 320 Hz.
INLINE struct stereo_frame mastering_narrow(struct mastering_filters *f, struct stereo_block *b, int i)
{
    static const struct highpass side_cut = {{0.941630078f, 0.0406713522f, 8.51943382e-4f}, 1.41421356f};
    float middle = (b->left[i] + b->right[i]) * 0.5f;
    float side = highpass_tick(&side_cut, f->side, (b->left[i] - b->right[i]) * 0.5f);
    b->left[i] = middle + side;
    b->right[i] = middle - side;
    return (struct stereo_frame){middle + side, middle - side};
}

// Lows go to the middle. Returns the mean square, weighted: measured in the same loop, whose filters then run side by
// side.
INLINE float mastering_measure(struct mastering *m, struct stereo_block *b)
{
    struct mastering_filters f = m->filters;
    float power = 0;
    for (int i = 0; i < CONTROL_FRAMES; i += 2) {
        struct stereo_frame one = mastering_narrow(&f, b, i), other = mastering_narrow(&f, b, i + 1);
        float left = servo_weigh(&f, 0, servo_halve(f.before[0], one.left, other.left));
        float right = servo_weigh(&f, 1, servo_halve(f.before[1], one.right, other.right));
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
    mastering_dc(&m->filters, 0, b->left);
    mastering_dc(&m->filters, 1, b->right);
    servo_render(m, mastering_measure(m, b), mix->loudness, b);
    saturation_render(&m->saturation, mix->warmth, b);
    limiter_render(m, frame, b, out);
}
