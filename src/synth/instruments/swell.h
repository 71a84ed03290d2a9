// Swell: two streams of noise through a band that opens as it rises, like a wave that comes and goes.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

struct swell_control {
    struct svf_coefficients reached, step;
    vf left, right, left_step, right_step;
};

INLINE void swell_start(struct swell *s, int n)
{
    uint32_t seed = note_seed(s->lanes.now.id[n]);
    s->noise_left[n] = seed;
    s->noise_right[n] = seed * 0x9e3779b1u;
    s->left_1[n] = s->left_2[n] = s->right_1[n] = s->right_2[n] = 0;
    s->gain_left[n] = s->gain_right[n] = 0;
}

INLINE void swell_control(const struct swell *s, int first, const struct mix *mix, vu started,
                          struct swell_control *c)
{
    const float share = 1.0f / CONTROL_FRAMES;
    vf level = vf_load(s->lanes.level + first);
    vf bright = vf_load(s->lanes.now.brightness + first) * 0.6f + mix->brightness * 0.4f;
    vf octaves = 8.3f + bright * 1.8f + level * 1.6f;
    struct svf_coefficients wanted = svf_design(vf_exp2(octaves), vf_set(1.1f));
    c->reached.a1 = vf_select(started, wanted.a1, vf_load(s->a1 + first));
    c->reached.a2 = vf_select(started, wanted.a2, vf_load(s->a2 + first));
    c->reached.a3 = vf_select(started, wanted.a3, vf_load(s->a3 + first));
    c->step = svf_step(&c->reached, &wanted);
    struct pan_gains pan = pan_gains(vf_load(s->lanes.now.pan + first) * 0.7f);
    vf gain = level * level * vf_load(s->lanes.now.velocity + first);
    c->left = vf_load(s->gain_left + first);
    c->right = vf_load(s->gain_right + first);
    c->left_step = (gain * pan.left - c->left) * share;
    c->right_step = (gain * pan.right - c->right) * share;
}

INLINE void swell_lanes(struct swell *s, int first, const struct swell_control *control, vu lives,
                        struct lane_bus *bus)
{
    struct swell_control c = *control;
    vu noise_left = vu_load(s->noise_left + first), noise_right = vu_load(s->noise_right + first);
    // A lane at rest holds 0, which stays 0: silence.
    struct svf_memory left = {vf_load(s->left_1 + first), vf_load(s->left_2 + first)};
    struct svf_memory right = {vf_load(s->right_1 + first), vf_load(s->right_2 + first)};
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf one = noise_tick(&noise_left), other = noise_tick(&noise_right);
        svf_advance(&c.reached, &c.step);
        vf to_left = svf_tick(&left, &c.reached, one + other * 0.35f).band;
        vf to_right = svf_tick(&right, &c.reached, other + one * 0.35f).band;
        c.left += c.left_step;
        c.right += c.right_step;
        lane_bus_add(bus, i, first, to_left * c.left, to_right * c.right);
    }
    vu_store(s->noise_left + first, noise_left & lives);
    vu_store(s->noise_right + first, noise_right & lives);
    lane_keep(s->left_1 + first, left.one, lives);
    lane_keep(s->left_2 + first, left.two, lives);
    lane_keep(s->right_1 + first, right.one, lives);
    lane_keep(s->right_2 + first, right.two, lives);
    lane_keep(s->a1 + first, c.reached.a1, lives);
    lane_keep(s->a2 + first, c.reached.a2, lives);
    lane_keep(s->a3 + first, c.reached.a3, lives);
    lane_keep(s->gain_left + first, c.left, lives);
    lane_keep(s->gain_right + first, c.right, lives);
}

// True when something sounded.
INLINE int swell_render(struct swell *s, uint64_t frame, const struct mix *mix, struct lane_bus *bus)
{
    struct lane_block b;
    lanes_advance(&s->lanes, frame, &b);
    for (uint32_t left = b.started; left; left &= left - 1)
        swell_start(s, __builtin_ctz(left));
    for (int first = 0; first < LANES; first += SYNTH_WIDTH) {
        if (lanes_rest(&b, first))
            continue;
        struct swell_control c;
        swell_control(s, first, mix, lanes_started(&b, first), &c);
        swell_lanes(s, first, &c, vu_load(b.lives + first), bus);
    }
    return b.sounding != 0;
}
