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

// Takes the DC and cuts what differs between the sides below 200 Hz. Returns the mean square, weighted: measured in the
// same loop, whose filters then run side by side.
INLINE float mastering_clean(struct mastering *m, struct stereo_block *b)
{
    static const struct highpass side_cut = {0.981658268f, 0.0128506107f, 0.000168223709f, 1.41421356f};
    struct mastering_filters f = m->filters;
    float power = 0;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float left = mastering_dc(&f, 0, b->left[i]), right = mastering_dc(&f, 1, b->right[i]);
        float middle = (left + right) * 0.5f;
        float side = highpass_tick(&side_cut, f.side, (left - right) * 0.5f);
        b->left[i] = middle + side;
        b->right[i] = middle - side;
        left = servo_weigh(&f, 0, middle + side);
        right = servo_weigh(&f, 1, middle - side);
        power += left * left + right * right;
    }
    m->filters = f;
    return power * (1.0f / CONTROL_FRAMES);
}

// b: changed on the way.   out: interleaved, of SYNTH_LOOKAHEAD frames ago.
INLINE void mastering_render(struct mastering *m, uint64_t frame, struct stereo_block *b, float *out)
{
    servo_render(m, mastering_clean(m, b), b);
    limiter_render(m, frame, b, out);
}
