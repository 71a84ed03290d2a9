// Lead: a soft bell. Two sines, a hair apart for left and right, are bent by a third an octave above; the bend fades
// faster than the tone, and is weaker for high notes, whose side tones would fold back.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

struct lead_control {
    vu increment_left, increment_right, increment_modulator;
    vf index, left, right, index_step, left_step, right_step;
};

INLINE void lead_start(struct lead *l, int n)
{
    l->phase_left[n] = l->phase_right[n] = l->phase_modulator[n] = 0;
    l->decay[n] = l->strike[n] = 1.0f;
    l->index[n] = l->gain_left[n] = l->gain_right[n] = 0;
}

INLINE void lead_pitch(const struct lead *l, int first, struct lead_control *c)
{
    vf pitch = vf_load(l->lanes.now.pitch + first);
    c->increment_left = phase_increment(pitch_hz(pitch + 0.012f));
    c->increment_right = phase_increment(pitch_hz(pitch - 0.012f));
    c->increment_modulator = phase_increment(pitch_hz(pitch) * 2.0f);
}

// The tone loses 60 dB in 9 s at middle C, faster above; the bend about six times as fast.
INLINE void lead_decay(struct lead *l, int first, vu lives)
{
    vf rate = vf_exp2((vf_load(l->lanes.now.pitch + first) - 60.0f) * (0.5f / 12.0f));
    vf slow = vf_exp2(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 9.0f));
    vf fast = vf_exp2(rate * (-9.9657843f * CONTROL_FRAMES / FRAME_RATE / 1.6f));
    lane_keep(l->decay + first, vf_load(l->decay + first) * slow, lives);
    lane_keep(l->strike + first, vf_load(l->strike + first) * fast, lives);
}

INLINE void lead_levels(const struct lead *l, int first, float brightness, vu started, struct lead_control *c)
{
    const float share = 1.0f / CONTROL_FRAMES;
    vf velocity = vf_load(l->lanes.now.velocity + first);
    vf bright = vf_load(l->lanes.now.brightness + first) * 0.6f + brightness * 0.4f;
    vf gentle = vf_min(700.0f / pitch_hz(vf_load(l->lanes.now.pitch + first)), vf_set(1.0f));
    vf index = (0.12f + vf_load(l->strike + first) * velocity * (0.4f + 1.1f * bright)) * gentle;
    vf level = vf_load(l->lanes.level + first) * vf_load(l->decay + first) * velocity;
    struct pan_gains pan = pan_gains(vf_load(l->lanes.now.pan + first));
    c->index = vf_select(started, index, vf_load(l->index + first));
    c->left = vf_load(l->gain_left + first);
    c->right = vf_load(l->gain_right + first);
    c->index_step = (index - c->index) * share;
    c->left_step = (level * pan.left - c->left) * share;
    c->right_step = (level * pan.right - c->right) * share;
}

INLINE void lead_lanes(struct lead *l, int first, const struct lead_control *control, vu lives, struct lane_bus *bus)
{
    struct lead_control c = *control;
    vu left = vu_load(l->phase_left + first), right = vu_load(l->phase_right + first);
    vu modulator = vu_load(l->phase_modulator + first);
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
    vu_store(l->phase_left + first, left & lives);
    vu_store(l->phase_right + first, right & lives);
    vu_store(l->phase_modulator + first, modulator & lives);
    lane_keep(l->index + first, c.index, lives);
    lane_keep(l->gain_left + first, c.left, lives);
    lane_keep(l->gain_right + first, c.right, lives);
}

// True when something sounded.
INLINE int lead_render(struct lead *l, uint64_t frame, const struct mix *mix, struct lane_bus *bus)
{
    struct lane_block b;
    lanes_advance(&l->lanes, frame, &b);
    for (uint32_t left = b.started; left; left &= left - 1)
        lead_start(l, __builtin_ctz(left));
    for (int first = 0; first < LANES; first += SYNTH_WIDTH) {
        if (lanes_rest(&b, first))
            continue;
        vu lives = vu_load(b.lives + first);
        struct lead_control c;
        lead_pitch(l, first, &c);
        lead_decay(l, first, lives);
        lead_levels(l, first, mix->brightness, lanes_started(&b, first), &c);
        lead_lanes(l, first, &c, lives, bus);
    }
    return b.sounding != 0;
}
