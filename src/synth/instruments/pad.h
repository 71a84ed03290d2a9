// Pad: two detuned saws and, for low notes, a sine an octave below; drive, and a filter for each side. Detuning, filter
// and place drift by slow waves that follow from the note and the absolute frame alone.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

// What a pad's lanes do during one block.
struct pad_control {
    vu increment_a, increment_b, increment_sub;
    struct saw_shape shape;
    vf sub;
    struct svf_coefficients reached, step;
    vf left, right, left_step, right_step;
};

INLINE void pad_start(struct pad *p, int n)
{
    uint32_t seed = note_seed(p->lanes.now.id[n]);
    p->seed[n] = seed;
    p->phase_a[n] = seed * 0x9e3779b1u;
    p->phase_b[n] = seed * 0x85ebca6bu;
    p->phase_sub[n] = 0;
    p->left_1[n] = p->left_2[n] = p->right_1[n] = p->right_2[n] = 0;
    p->gain_left[n] = p->gain_right[n] = 0;
}

// A wave of about `turns` phase per block at an absolute block; no two notes share its pace.
INLINE vf slow_wave(vu seed, uint32_t block, uint32_t turns)
{
    vu pace = turns + (seed >> 24) * (turns >> 9);
    return vf_sin_phase(seed * turns + block * pace);
}

// Phase per block of a wave of so many hertz.
#define SLOW_WAVE_HZ(hz) ((uint32_t)((hz) * CONTROL_FRAMES / FRAME_RATE * 0x1p32) | 1)

INLINE void pad_pitch(const struct pad *p, int first, uint32_t block, float motion, struct pad_control *c)
{
    vf pitch = vf_load(p->lanes.now.pitch + first);
    vf drift = slow_wave(vu_load(p->seed + first), block, SLOW_WAVE_HZ(0.061));
    vf detune = 0.045f + drift * (0.012f + 0.018f * motion);
    vf hz = pitch_hz(pitch);
    c->shape = saw_shape(hz);
    c->increment_a = phase_increment(pitch_hz(pitch + detune));
    c->increment_b = phase_increment(pitch_hz(pitch - detune));
    c->increment_sub = phase_increment(hz * 0.5f);
    c->sub = vf_clamp((57.0f - pitch) * (1.0f / 14.0f), 0.0f, 1.0f) * 0.5f;
}

INLINE void pad_filter(const struct pad *p, int first, uint32_t block, const struct mix *mix, vu started,
                       struct pad_control *c)
{
    vf wave = slow_wave(vu_load(p->seed + first), block, SLOW_WAVE_HZ(0.037));
    vf bright = vf_load(p->lanes.now.brightness + first) * 0.5f + mix->brightness * 0.5f;
    vf octaves = 9.6f + bright * 3.5f + (vf_load(p->lanes.now.pitch + first) - 60.0f) * (0.5f / 12.0f)
        + vf_load(p->lanes.level + first) * 0.6f + wave * (0.9f * mix->motion);
    struct svf_coefficients wanted = svf_design(vf_exp2(octaves), vf_set(1.25f));
    c->reached.a1 = vf_select(started, wanted.a1, vf_load(p->a1 + first));
    c->reached.a2 = vf_select(started, wanted.a2, vf_load(p->a2 + first));
    c->reached.a3 = vf_select(started, wanted.a3, vf_load(p->a3 + first));
    c->step = svf_step(&c->reached, &wanted);
}

INLINE void pad_place(const struct pad *p, int first, uint32_t block, float motion, struct pad_control *c)
{
    vf wave = slow_wave(vu_load(p->seed + first), block, SLOW_WAVE_HZ(0.047));
    struct pan_gains pan = pan_gains(vf_load(p->lanes.now.pan + first) * 0.7f + wave * (0.25f * motion));
    vf level = vf_load(p->lanes.level + first) * vf_load(p->lanes.now.velocity + first);
    c->left = vf_load(p->gain_left + first);
    c->right = vf_load(p->gain_right + first);
    c->left_step = (level * pan.left - c->left) * (1.0f / CONTROL_FRAMES);
    c->right_step = (level * pan.right - c->right) * (1.0f / CONTROL_FRAMES);
}

INLINE void pad_lanes(struct pad *p, int first, const struct pad_control *control, vu lives, struct lane_bus *bus)
{
    struct pad_control c = *control;
    vu a = vu_load(p->phase_a + first), b = vu_load(p->phase_b + first), sub = vu_load(p->phase_sub + first);
    struct svf_memory left = {vf_load(p->left_1 + first), vf_load(p->left_2 + first)};
    struct svf_memory right = {vf_load(p->right_1 + first), vf_load(p->right_2 + first)};
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf saw_a = saw_at(a, &c.shape), saw_b = saw_at(b, &c.shape), low = vf_sin_phase(sub) * c.sub;
        svf_advance(&c.reached, &c.step);
        vf to_left = svf_tick(&left, &c.reached, vf_tanh(saw_a * 0.6f + saw_b * 0.36f + low)).low;
        vf to_right = svf_tick(&right, &c.reached, vf_tanh(saw_b * 0.6f + saw_a * 0.36f + low)).low;
        c.left += c.left_step;
        c.right += c.right_step;
        lane_bus_add(bus, i, first, to_left * c.left, to_right * c.right);
        a += c.increment_a;
        b += c.increment_b;
        sub += c.increment_sub;
    }
    vu_store(p->seed + first, vu_load(p->seed + first) & lives);
    vu_store(p->phase_a + first, a & lives);
    vu_store(p->phase_b + first, b & lives);
    vu_store(p->phase_sub + first, sub & lives);
    lane_keep(p->left_1 + first, left.one, lives);
    lane_keep(p->left_2 + first, left.two, lives);
    lane_keep(p->right_1 + first, right.one, lives);
    lane_keep(p->right_2 + first, right.two, lives);
    lane_keep(p->a1 + first, c.reached.a1, lives);
    lane_keep(p->a2 + first, c.reached.a2, lives);
    lane_keep(p->a3 + first, c.reached.a3, lives);
    lane_keep(p->gain_left + first, c.left, lives);
    lane_keep(p->gain_right + first, c.right, lives);
}

// True when something sounded.
INLINE int pad_render(struct pad *p, uint64_t frame, const struct mix *mix, struct lane_bus *bus)
{
    struct lane_block b;
    lanes_advance(&p->lanes, frame, &b);
    for (uint32_t left = b.started; left; left &= left - 1)
        pad_start(p, __builtin_ctz(left));
    uint32_t block = (uint32_t)(frame / CONTROL_FRAMES);
    for (int first = 0; first < LANES; first += SYNTH_WIDTH) {
        if (lanes_rest(&b, first))
            continue;
        struct pad_control c;
        pad_pitch(p, first, block, mix->motion, &c);
        pad_filter(p, first, block, mix, lanes_started(&b, first), &c);
        pad_place(p, first, block, mix->motion, &c);
        pad_lanes(p, first, &c, vu_load(b.lives + first), bus);
    }
    return b.sounding != 0;
}
