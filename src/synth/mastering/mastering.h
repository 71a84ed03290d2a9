// The last stage: no DC, lows in the middle, steady loudness, a ceiling.
#pragma once
#include "synth/mastering/limiter.h"
#include "synth/mastering/servo.h"

// One-pole high-pass at 8 Hz.
INLINE float mastering_dc(struct mastering_filters *f, int channel, float in)
{
    f->dc_out[channel] = in - f->dc_in[channel] + 0.99895280f * f->dc_out[channel];
    f->dc_in[channel] = in;
    return f->dc_out[channel];
}

struct stereo_frame {
    float left, right;
};

// Takes the DC from a frame and cuts what differs between the sides below 200 Hz.
INLINE struct stereo_frame mastering_clean(struct mastering_filters *f, struct stereo_block *b, int i)
{
    static const struct highpass side_cut = {0.981658268f, 0.0128506107f, 0.000168223709f, 1.41421356f};
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
INLINE void mastering_render(struct mastering *m, uint64_t frame, struct stereo_block *b, float *out)
{
    servo_render(m, mastering_measure(m, b), b);
    limiter_render(m, frame, b, out);
}
