// The two sides of a filtered voice: a filter each under common coefficients, and the gain out of them. Coefficients
// and gains move in straight lines from what they reached to what is wanted at the end of the block.
#pragma once
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

// What the sides of some lanes do during one block.
struct sides_control {
    struct svf_memory left_memory, right_memory;
    struct svf_coefficients reached, step;
    vf left, right, left_step, right_step;
};

INLINE void sides_start(struct sides *s, int n)
{
    s->left_1[n] = s->left_2[n] = s->right_1[n] = s->right_2[n] = 0;
    s->gain_left[n] = s->gain_right[n] = 0;
}

// Begins a block on the lanes from `first` on. Lanes that `started` are at the wanted coefficients at once.
INLINE struct sides_control sides_load(const struct sides *s, int first, vu started, struct svf_coefficients wanted,
                                       vf gain, struct pan_gains pan)
{
    const float share = 1.0f / CONTROL_FRAMES;
    struct sides_control c = {
        .left_memory = {vf_load(s->left_1 + first), vf_load(s->left_2 + first)},
        .right_memory = {vf_load(s->right_1 + first), vf_load(s->right_2 + first)},
        .reached = {vf_select(started, wanted.a1, vf_load(s->a1 + first)),
                    vf_select(started, wanted.a2, vf_load(s->a2 + first)),
                    vf_select(started, wanted.a3, vf_load(s->a3 + first))},
        .left = vf_load(s->gain_left + first),
        .right = vf_load(s->gain_right + first),
    };
    c.step = svf_step(&c.reached, &wanted);
    c.left_step = (gain * pan.left - c.left) * share;
    c.right_step = (gain * pan.right - c.right) * share;
    return c;
}

// One frame on; before the filters are ticked.
INLINE void sides_advance(struct sides_control *c)
{
    svf_advance(&c->reached, &c->step);
    c->left += c->left_step;
    c->right += c->right_step;
}

INLINE void sides_keep(struct sides *s, int first, const struct sides_control *c, vu lives)
{
    lane_keep(s->left_1 + first, c->left_memory.one, lives);
    lane_keep(s->left_2 + first, c->left_memory.two, lives);
    lane_keep(s->right_1 + first, c->right_memory.one, lives);
    lane_keep(s->right_2 + first, c->right_memory.two, lives);
    lane_keep(s->a1 + first, c->reached.a1, lives);
    lane_keep(s->a2 + first, c->reached.a2, lives);
    lane_keep(s->a3 + first, c->reached.a3, lives);
    lane_keep(s->gain_left + first, c->left, lives);
    lane_keep(s->gain_right + first, c->right, lives);
}
