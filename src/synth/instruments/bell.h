// Bell: soft, by frequency modulation. Two sines, a hair apart for left and right, are bent by a third an octave above;
// the bend fades faster than the tone, and is weaker for high notes, whose side tones would fold back.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

struct bell {
    struct lanes lanes;
    uint32_t phase_left[LANES], phase_right[LANES], phase_modulator[LANES];
    float decay[LANES], strike[LANES];                                   // slow and fast decay, from 1 down
    float index[LANES], gain_left[LANES], gain_right[LANES];
};

static const struct instrument_levels bell_levels = {.dry = 0.16f, .send = 0.14f};

struct bell_control {
    vu increment_left, increment_right, increment_modulator;
    vf index, left, right, index_step, left_step, right_step;
};

INLINE void bell_start(struct bell *bell, int n)
{
    bell->phase_left[n] = bell->phase_right[n] = bell->phase_modulator[n] = 0;
    bell->decay[n] = bell->strike[n] = 1.0f;
    bell->index[n] = bell->gain_left[n] = bell->gain_right[n] = 0;
}

INLINE void bell_pitch(const struct bell *bell, int first, struct bell_control *c)
{
    vf pitch = vf_load(bell->lanes.now.pitch + first);
    c->increment_left = phase_increment(pitch_hz(pitch + 0.012f));
    c->increment_right = phase_increment(pitch_hz(pitch - 0.012f));
    c->increment_modulator = phase_increment(pitch_hz(pitch) * 2.0f);
}

// The tone loses 60 dB in 9 s at middle C, faster above; the bend about six times as fast.
INLINE void bell_decay(struct bell *bell, int first, vu lives)
{
    vf rate = vf_exp2((vf_load(bell->lanes.now.pitch + first) - 60.0f) * (0.5f / 12.0f));
    vf slow = vf_exp2(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 9.0f));
    vf fast = vf_exp2(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 1.6f));
    lane_keep(bell->decay + first, vf_load(bell->decay + first) * slow, lives);
    lane_keep(bell->strike + first, vf_load(bell->strike + first) * fast, lives);
}

INLINE void bell_gains(const struct bell *bell, int first, float brightness, const struct lane_block *b,
                       struct bell_control *c)
{
    const float share = 1.0f / CONTROL_FRAMES;
    vf velocity = vf_load(bell->lanes.now.velocity + first);
    vf bright = vf_load(bell->lanes.now.brightness + first) * 0.6f + brightness * 0.4f;
    vf gentle = vf_min(700.0f / pitch_hz(vf_load(bell->lanes.now.pitch + first)), vf_set(1.0f));
    vf index = (0.12f + vf_load(bell->strike + first) * velocity * (0.4f + 1.1f * bright)) * gentle;
    vf level = vf_load(b->loudness + first) * vf_load(bell->decay + first);
    struct pan_gains pan = pan_gains(vf_load(bell->lanes.now.pan + first));
    c->index = vf_select(lanes_started(b, first), index, vf_load(bell->index + first));
    c->left = vf_load(bell->gain_left + first);
    c->right = vf_load(bell->gain_right + first);
    c->index_step = (index - c->index) * share;
    c->left_step = (level * pan.left - c->left) * share;
    c->right_step = (level * pan.right - c->right) * share;
}

INLINE void bell_frames(struct bell *bell, int first, const struct bell_control *control, vu lives,
                        struct lane_bus *bus)
{
    struct bell_control c = *control;
    vu left = vu_load(bell->phase_left + first), right = vu_load(bell->phase_right + first);
    vu modulator = vu_load(bell->phase_modulator + first);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        c.index += c.index_step;
        c.left += c.left_step;
        c.right += c.right_step;
        vu bend = vu_from(vf_sin_phase(modulator) * c.index * (float)(0x1p32 / 6.2831853));
        vf one = vf_sin_phase(left + bend), other = vf_sin_phase(right + bend);
        lane_bus_add(bus, i, first, (one + other * 0.5f) * c.left, (other + one * 0.5f) * c.right);
        left += c.increment_left;
        right += c.increment_right;
        modulator += c.increment_modulator;
    }
    vu_store(bell->phase_left + first, left & lives);
    vu_store(bell->phase_right + first, right & lives);
    vu_store(bell->phase_modulator + first, modulator & lives);
    lane_keep(bell->index + first, c.index, lives);
    lane_keep(bell->gain_left + first, c.left, lives);
    lane_keep(bell->gain_right + first, c.right, lives);
}

INLINE void bell_lanes(struct bell *bell, int first, const struct lane_block *b, const struct mix *mix,
                       struct lane_bus *bus)
{
    vu lives = vu_load(b->lives + first);
    struct bell_control c;
    bell_pitch(bell, first, &c);
    bell_decay(bell, first, lives);
    bell_gains(bell, first, mix->brightness, b, &c);
    bell_frames(bell, first, &c, lives, bus);
}
