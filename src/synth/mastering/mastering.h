// The last stage: no DC, lows in the middle, steady loudness, a ceiling.
#pragma once
#include "synth/mastering/limiter.h"
#include "synth/mastering/servo.h"

// One-pole high-pass at 8 Hz.
INLINE float mastering_dc(struct mastering *m, int channel, float in)
{
    m->dc_out[channel] = in - m->dc_in[channel] + 0.99895280f * m->dc_out[channel];
    m->dc_in[channel] = in;
    return m->dc_out[channel];
}

// What differs between the sides is cut below 140 Hz.
INLINE void mastering_centre(struct mastering *m, struct stereo_block *b)
{
    static const struct highpass side_cut = {0.987125187f, 0.00904526008f, 8.2883844e-5f, 1.41421356f};
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float left = mastering_dc(m, 0, b->left[i]), right = mastering_dc(m, 1, b->right[i]);
        float middle = (left + right) * 0.5f;
        float side = highpass_tick(&side_cut, m->side, (left - right) * 0.5f);
        b->left[i] = middle + side;
        b->right[i] = middle - side;
    }
}

// b: changed on the way.   out: interleaved, of SYNTH_LOOKAHEAD frames ago.
INLINE void mastering_render(struct mastering *m, uint64_t frame, struct stereo_block *b, float *out)
{
    mastering_centre(m, b);
    servo_render(m, b);
    limiter_render(m, frame, b, out);
}
