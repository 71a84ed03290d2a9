// Bell: soft, by frequency modulation. Two sines, a hair apart for left and right, are bent by a third an octave above;
// the bend fades faster than the tone, and is weaker for high notes, whose side tones would fold back. Few notes sound
// at once: vectors run over the frames of one.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/ramp.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/one_by_one.h"
#include "synth/instruments/pan.h"

enum { BELL_LEFT, BELL_RIGHT, BELL_MODULATOR, BELL_TONES };

struct bell {
    struct lanes lanes;
    uint32_t phase[BELL_TONES][LANES];
    float decay[LANES], strike[LANES];                            // slow and fast decay, from 1 down
    float index[LANES], gain_left[LANES], gain_right[LANES];      // reached
};

static const struct instrument_levels bell_levels = {.dry = 0.16f, .send = 0.14f};

// What a note does during one block: bend and gains are those at its end.
struct bell_control {
    uint32_t increment[BELL_TONES];
    float index, left, right;
};

INLINE void bell_start(struct bell *bell, int n)
{
    for (int i = 0; i < BELL_TONES; i++)
        bell->phase[i][n] = 0;
    bell->decay[n] = bell->strike[n] = 1.0f;
    bell->index[n] = bell->gain_left[n] = bell->gain_right[n] = 0;
}

// The tone loses 60 dB in 9 s at middle C, faster above; the bend about six times as fast.
INLINE void bell_decay(struct bell *bell, int n)
{
    float rate = exp2_of((bell->lanes.now.pitch[n] - 60.0f) * (0.5f / 12.0f));
    bell->decay[n] *= exp2_of(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 9.0f));
    bell->strike[n] *= exp2_of(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 1.6f));
}

INLINE struct bell_control bell_control(const struct bell *bell, int n, float brightness, float loudness)
{
    const struct lane_notes *now = &bell->lanes.now;
    vf pitch = vf_set(now->pitch[n]), hz = pitch_hz(pitch);
    struct pan_gains pan = pan_gains(vf_set(now->pan[n]));
    float bright = now->brightness[n] * 0.6f + brightness * 0.4f, level = loudness * bell->decay[n];
    float gentle = vf_first(vf_min(700.0f / hz, vf_set(1.0f)));
    return (struct bell_control){
        .increment = {vu_first(phase_increment(pitch_hz(pitch + 0.012f))),
                      vu_first(phase_increment(pitch_hz(pitch - 0.012f))), vu_first(phase_increment(hz * 2.0f))},
        .index = (0.12f + bell->strike[n] * now->velocity[n] * (0.4f + 1.1f * bright)) * gentle,
        .left = level * vf_first(pan.left),
        .right = level * vf_first(pan.right),
    };
}

INLINE void bell_sound(struct bell *bell, int n, const struct bell_control *c, struct stereo_block *out)
{
    struct ramp index = ramp_to(bell->index[n], c->index);
    struct ramp left = ramp_to(bell->gain_left[n], c->left), right = ramp_to(bell->gain_right[n], c->right);
    for (int first = 0; first < CONTROL_FRAMES; first += SYNTH_WIDTH) {
        vu number = vu_count((uint32_t)first), phase[BELL_TONES];
        vf frame = vf_from(number) + 1.0f;
        for (int i = 0; i < BELL_TONES; i++)
            phase[i] = bell->phase[i][n] + number * c->increment[i];
        vf bent = vf_sin_phase(phase[BELL_MODULATOR]) * ramp_at(index, frame);
        vu bend = vu_from(bent * (float)(0x1p32 / 6.2831853));
        vf one = vf_sin_phase(phase[BELL_LEFT] + bend), other = vf_sin_phase(phase[BELL_RIGHT] + bend);
        vf_store(out->left + first, (one + other * 0.5f) * ramp_at(left, frame));
        vf_store(out->right + first, (other + one * 0.5f) * ramp_at(right, frame));
    }
    for (int i = 0; i < BELL_TONES; i++)
        bell->phase[i][n] += CONTROL_FRAMES * c->increment[i];
    bell->index[n] = c->index;
    bell->gain_left[n] = c->left;
    bell->gain_right[n] = c->right;
}

INLINE void bell_wipe(struct bell *bell, int n)
{
    bell_start(bell, n);
    bell->decay[n] = bell->strike[n] = 0;
}

INLINE void bell_note(struct bell *bell, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct stereo_block out;
    bell_decay(bell, n);
    struct bell_control c = bell_control(bell, n, mix->brightness, b->loudness[n]);
    if (b->started >> n & 1)
        bell->index[n] = c.index;
    bell_sound(bell, n, &c, &out);
    lane_bus_add_note(bus, n, &out);
    if (!b->lives[n])
        bell_wipe(bell, n);
}

LANES_ONE_BY_ONE(bell)
