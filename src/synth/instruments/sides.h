// The two sides of a filtered voice: a filter each under common coefficients, and the gain out of them. Coefficients
// and gains move in straight lines from what they reached to what is wanted at the end of the block.
#pragma once
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

// A block of both sides of SYNTH_WIDTH lanes. What is made in two passes, sound and then filters, has the registers
// that each of them needs.
struct sides_block {
    vf left[CONTROL_FRAMES], right[CONTROL_FRAMES];
};

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
        .reached = {vf_select(started, wanted.through, vf_load(s->through + first)),
                    vf_select(started, wanted.across, vf_load(s->across + first)),
                    vf_select(started, wanted.enters, vf_load(s->enters + first))},
        .left = vf_load(s->gain_left + first),
        .right = vf_load(s->gain_right + first),
    };
    c.step = svf_step(&c.reached, &wanted);
    gain *= 0.5f;    // svf_tick gives twice the filter's
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
    lane_keep(s->through + first, c->reached.through, lives);
    lane_keep(s->across + first, c->reached.across, lives);
    lane_keep(s->enters + first, c->reached.enters, lives);
    lane_keep(s->gain_left + first, c->left, lives);
    lane_keep(s->gain_right + first, c->right, lives);
}

// Where the sides of one note shall be at the end of a block, for instruments whose vectors run over frames.
struct sides_wish {
    struct svf_one filter;
    float left, right;
};

INLINE struct sides_wish sides_wish(struct svf_coefficients filter, float gain, struct pan_gains pan)
{
    gain *= 0.5f;
    return (struct sides_wish){svf_one(filter), gain * vf_first(pan.left), gain * vf_first(pan.right)};
}

// The filter of a note that begins is at once as it shall be.
INLINE void sides_begin(struct sides *s, int n, const struct sides_wish *wish)
{
    s->through[n] = wish->filter.through;
    s->across[n] = wish->filter.across;
    s->enters[n] = wish->filter.enters;
}

// Both sides of lane n for a block, in place: low-pass and gain.
INLINE void sides_low(struct sides *s, int n, const struct sides_wish *wish, float *left, float *right)
{
    const float share = 1.0f / CONTROL_FRAMES;
    struct svf_one f = {s->through[n], s->across[n], s->enters[n]};
    const struct svf_one step = {(wish->filter.through - f.through) * share, (wish->filter.across - f.across) * share,
                                 (wish->filter.enters - f.enters) * share};
    float to_left = s->gain_left[n], left_step = (wish->left - to_left) * share;
    float to_right = s->gain_right[n], right_step = (wish->right - to_right) * share;
    float left_memory[2] = {s->left_1[n], s->left_2[n]}, right_memory[2] = {s->right_1[n], s->right_2[n]};
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        f.through += step.through;
        f.across += step.across;
        f.enters += step.enters;
        to_left += left_step;
        to_right += right_step;
        left[i] = svf_one_tick(left_memory, &f, left[i]).low * to_left;
        right[i] = svf_one_tick(right_memory, &f, right[i]).low * to_right;
    }
    s->left_1[n] = left_memory[0];
    s->left_2[n] = left_memory[1];
    s->right_1[n] = right_memory[0];
    s->right_2[n] = right_memory[1];
    sides_begin(s, n, wish);
    s->gain_left[n] = wish->left;
    s->gain_right[n] = wish->right;
}

INLINE void sides_wipe(struct sides *s, int n)
{
    sides_start(s, n);
    s->through[n] = s->across[n] = s->enters[n] = 0;
}
