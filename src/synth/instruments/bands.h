// Noise through eight band-passes, four to a side: what rain, wind, sea and vinyl are made of. The bands of one note
// are the lanes here, for no more than a note or two of a texture sounds at once. Frequencies hold for a block, gains
// move in straight lines.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

enum { BANDS = 8, BAND_VECTORS = BANDS / SYNTH_WIDTH };  // bands 0 .. 3 sound on the left, 4 .. 7 on the right

// A table of what the bands are like, the same on both sides.
#define EACH_SIDE(...) {__VA_ARGS__, __VA_ARGS__}

// What is kept of one note.
struct bands {
    alignas(32) float one[BANDS], two[BANDS];  // filter memories
    float gain[BANDS];                         // reached
};

// What SYNTH_WIDTH bands shall do by the end of a block.
struct band_wish {
    vf hz, damping;   // damping: 1/Q
    vf gain;          // at the peak
    vf cross;         // how much of the other side's noise goes in
};

// All bits in those of the bands from `first` on that are on the right.
INLINE vu bands_right(int first)
{
    return vu_nonzero(vu_count((uint32_t)first) & 4);
}

// Octaves that a note's pitch moves its bands: half of its own, from middle C, and one at most.
INLINE float bands_colour(float pitch)
{
    return vf_first(vf_clamp(vf_set((pitch - 60.0f) * (0.5f / 12.0f)), -1.0f, 1.0f));
}

// Where a note's bands are: a texture is all around, and leans a little.
INLINE struct pan_gains bands_place(float pan)
{
    return pan_gains(vf_set(pan * 0.3f));
}

// What the bands of one note do during one block.
struct bands_control {
    struct svf_memory memory[BAND_VECTORS];
    struct svf_coefficients filter[BAND_VECTORS];
    vf gain[BAND_VECTORS], gain_step[BAND_VECTORS];
    vf left[BAND_VECTORS], right[BAND_VECTORS];
};

// svf_design by Lambert's continued fraction of the tangent, 1.3 % low at 20 kHz, with one division in all.
INLINE struct svf_coefficients bands_design(vf hz, vf damping)
{
    vf x = vf_clamp(hz, 10.0f, 20000.0f) * (3.14159265f / FRAME_RATE), q = x * x;
    vf sine = (15.0f - q) * x, cosine = 15.0f - q * 6.0f;
    vf part = 2.0f / (cosine * cosine + sine * (sine + damping * cosine));
    return (struct svf_coefficients){cosine * cosine * part - 1.0f, sine * cosine * part, sine * sine * part};
}

// Begins a block on vector k.
INLINE void bands_load(struct bands_control *c, int k, const struct bands *s, struct band_wish wish,
                       struct pan_gains pan)
{
    vu right = bands_right(k * SYNTH_WIDTH);
    vf gain = wish.gain * wish.damping * 0.5f * vf_select(right, pan.right, pan.left);
    c->memory[k] = (struct svf_memory){vf_load(s->one + k * SYNTH_WIDTH), vf_load(s->two + k * SYNTH_WIDTH)};
    c->filter[k] = bands_design(wish.hz, wish.damping);
    c->gain[k] = vf_load(s->gain + k * SYNTH_WIDTH);
    c->gain_step[k] = (gain - c->gain[k]) * (1.0f / CONTROL_FRAMES);
    c->left[k] = vf_select(right, wish.cross, vf_set(1.0f));
    c->right[k] = vf_select(right, vf_set(1.0f), wish.cross);
}

// One frame of vector k.
INLINE vf bands_tick(struct bands_control *c, int k, float left, float right)
{
    vf in = c->left[k] * left + c->right[k] * right;
    c->gain[k] += c->gain_step[k];
    return svf_tick(&c->memory[k], &c->filter[k], in).band * c->gain[k];
}

// lives: all bits when the note goes on.
INLINE void bands_keep(struct bands *s, const struct bands_control *c, uint32_t lives)
{
    for (int k = 0; k < BAND_VECTORS; k++) {
        lane_keep(s->one + k * SYNTH_WIDTH, c->memory[k].one, vu_set(lives));
        lane_keep(s->two + k * SYNTH_WIDTH, c->memory[k].two, vu_set(lives));
        lane_keep(s->gain + k * SYNTH_WIDTH, c->gain[k], vu_set(lives));
    }
}

// Plays two sets of bands of note n, which have begun the block, through the noise of `seed`, and keeps them.
INLINE void bands_play_both(struct bands *const kept[2], struct bands_control c[2], uint32_t seed, int n,
                            const struct lane_block *b, struct lane_bus *bus)
{
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
    noise_fill(seed, b->number, left, right);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        for (int k = 0; k < BAND_VECTORS; k++)
            lane_bus_sides(bus, i, k * SYNTH_WIDTH,
                           bands_tick(&c[0], k, left[i], right[i]) + bands_tick(&c[1], k, left[i], right[i]));
    bands_keep(kept[0], &c[0], b->lives[n]);
    bands_keep(kept[1], &c[1], b->lives[n]);
}
