// Modal synthesis: what is struck, as sines that die away each at its own pace. Few notes sound at once, so vectors run
// over the modes of one note. Phases and envelopes are computed anew for every block from the age of the note, so that
// nothing drifts however long it rings; inside the block a damped rotation carries them.
//
// Every mode is a pair a hair apart, one mostly to the left and one mostly to the right: they beat, and are wide.
#pragma once
#include "synth/dsp/chance.h"
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/pan.h"

enum { MODAL_SIDES = 2, MODAL_PAIRS = 32 };

// Above this many hertz a mode is left out.
#define MODAL_HIGHEST_HZ 16000.0f

// How far the right side is ahead of the left: what is in step on both is narrow.
#define MODAL_SIDE_PHASE 0x30000000u

struct modal_note {
    alignas(64) uint32_t increment[MODAL_SIDES][MODAL_PAIRS];
    alignas(64) float rate[MODAL_SIDES][MODAL_PAIRS];       // of the decay, octaves per frame, below 0
    alignas(64) float amplitude[MODAL_SIDES][MODAL_PAIRS];  // at the beginning, not below 0
};

struct modal {
    uint32_t age[LANES];   // frames since the note began
    uint32_t rung[LANES];  // frames since its attack was over: what is still being rubbed does not decay
    float gain_left[LANES], gain_right[LANES];
    struct modal_note note[LANES];
};

// What one note does during a block.
struct modal_block {
    uint32_t age;
    float rung, decays;  // decays: 1, or 0 during the attack
    alignas(64) float level[MODAL_SIDES][MODAL_PAIRS];
};

// One vector of modes on its way through a block.
struct modal_stream {
    vf sine, cosine, turn_sine, turn_cosine;
};

INLINE void modal_start(struct modal *m, int n)
{
    m->age[n] = m->rung[n] = 0;
    m->gain_left[n] = m->gain_right[n] = 0;
}

// 0..1, the chance of the modes of a side from `first` on.
INLINE vf modal_chance(uint32_t seed, int side, int first)
{
    return chance_unit(chance_bits(seed + vu_count((uint32_t)(side * MODAL_PAIRS + first)) * 0x9e3779b1u));
}

// Tunes the modes of a side from `first` on. They lose 60 dB in decay_s.
INLINE void modal_tune(struct modal_note *note, int side, int first, vf hz, vf decay_s, vf amplitude)
{
    vu heard = vf_less(hz, vf_set(MODAL_HIGHEST_HZ));
    vu_store(note->increment[side] + first, phase_increment(hz));
    vf_store(note->rate[side] + first, (-9.9657843f / FRAME_RATE) / decay_s);
    vf_store(note->amplitude[side] + first, vf_select(heard, amplitude, (vf){0}));
}

// What the modes have decayed to. Below -120 dB it is nothing.
INLINE void modal_levels(const struct modal_note *note, struct modal_block *block)
{
    for (int side = 0; side < MODAL_SIDES; side++)
        for (int first = 0; first < MODAL_PAIRS; first += SYNTH_WIDTH) {
            vf decay = vf_exp2(vf_load(note->rate[side] + first) * block->rung);
            vf level = vf_load(note->amplitude[side] + first) * decay;
            vf_store(block->level[side] + first, vf_select(vf_less(level, vf_set(1e-6f)), (vf){0}, level));
        }
}

INLINE int modal_rests(const struct modal_block *block, int first)
{
    uint32_t bits[2 * SYNTH_WIDTH], any = 0;
    for (int side = 0; side < MODAL_SIDES; side++) {
        memcpy(bits, block->level[side] + first, sizeof bits);
        for (int n = 0; n < 2 * SYNTH_WIDTH; n++)
            any |= bits[n];
    }
    return !any;
}

INLINE struct modal_stream modal_stream(const struct modal_note *note, const struct modal_block *block, int side,
                                        int first)
{
    vu increment = vu_load(note->increment[side] + first), phase = increment * block->age + side * MODAL_SIDE_PHASE;
    vf level = vf_load(block->level[side] + first);
    vf sine = vf_sin_phase(increment), cosine = vf_sin_phase(increment + 0x40000000);
    // Brought to length 1 far better than the sine is approximated: an error would be raised to the 64th power.
    vf length = vf_exp2(vf_load(note->rate[side] + first) * block->decays)
        * (1.5f - (sine * sine + cosine * cosine) * 0.5f);
    return (struct modal_stream){vf_sin_phase(phase) * level, vf_sin_phase(phase + 0x40000000) * level, sine * length,
                                 cosine * length};
}

INLINE void modal_turn(struct modal_stream *s)
{
    vf sine = s->sine * s->turn_cosine + s->cosine * s->turn_sine;
    s->cosine = s->cosine * s->turn_cosine - s->sine * s->turn_sine;
    s->sine = sine;
}

// Adds two vectors of modes a side, which are as many as the registers hold.
INLINE void modal_frames(const struct modal_note *note, const struct modal_block *block, int first,
                         struct lane_bus *sides)
{
    const int second = first + SYNTH_WIDTH;
    struct modal_stream a = modal_stream(note, block, 0, first), b = modal_stream(note, block, 0, second);
    struct modal_stream c = modal_stream(note, block, 1, first), d = modal_stream(note, block, 1, second);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        lane_bus_join(sides->left[i], first, a.sine);
        lane_bus_join(sides->left[i], second, b.sine);
        lane_bus_join(sides->right[i], first, c.sine);
        lane_bus_join(sides->right[i], second, d.sine);
        modal_turn(&a);
        modal_turn(&b);
        modal_turn(&c);
        modal_turn(&d);
    }
}

// Puts what the two sides gave into place. width: 0 mono .. 1 apart.
INLINE void modal_place(struct modal *m, int n, const struct lane_bus *sides, float left_to, float right_to,
                        float width, struct lane_bus *bus)
{
    const float share = 1.0f / CONTROL_FRAMES, other = 1.0f - width;
    float left = m->gain_left[n], right = m->gain_right[n];
    float left_step = (left_to - left) * share, right_step = (right_to - right) * share;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        left += left_step;
        right += right_step;
        for (int c = 0; c < BUS_COLUMNS; c++) {
            bus->left[i][c] += (sides->left[i][c] + sides->right[i][c] * other) * left;
            bus->right[i][c] += (sides->right[i][c] + sides->left[i][c] * other) * right;
        }
    }
    m->gain_left[n] = left;
    m->gain_right[n] = right;
}

// Low notes are narrow.
INLINE float modal_width(float pitch)
{
    float width = (pitch - 42.0f) * 0.025f;
    return width < 0.1f ? 0.1f : width > 0.55f ? 0.55f : width;
}

INLINE void modal_play(struct modal *m, const struct lanes *l, int n, float left, float right, struct lane_bus *bus)
{
    int attacks = l->stage[n] == LANE_ATTACKS;
    struct modal_block block = {.age = m->age[n], .rung = (float)m->rung[n], .decays = attacks ? 0.0f : 1.0f};
    struct lane_bus sides;
    memset(&sides, 0, sizeof sides);
    modal_levels(&m->note[n], &block);
    for (int first = 0; first < MODAL_PAIRS; first += 2 * SYNTH_WIDTH)
        if (!modal_rests(&block, first))
            modal_frames(&m->note[n], &block, first, &sides);
    modal_place(m, n, &sides, left, right, modal_width(l->now.pitch[n]), bus);
    m->age[n] += CONTROL_FRAMES;
    m->rung[n] += attacks ? 0 : CONTROL_FRAMES;
}

INLINE void modal_wipe(struct modal *m, int n)
{
    modal_start(m, n);
    memset(&m->note[n], 0, sizeof m->note[n]);
}

// Plays the notes of SYNTH_WIDTH lanes from `first` on, one after the other.
INLINE void modal_lanes(struct modal *m, const struct lanes *l, int first, const struct lane_block *b,
                        struct lane_bus *bus)
{
    alignas(64) float left[SYNTH_WIDTH], right[SYNTH_WIDTH];
    struct pan_gains pan = pan_gains(vf_load(l->now.pan + first) * 0.8f);
    vf_store(left, vf_load(b->loudness + first) * pan.left);
    vf_store(right, vf_load(b->loudness + first) * pan.right);
    for (int n = 0; n < SYNTH_WIDTH; n++) {
        if (!(b->sounding >> (first + n) & 1))
            continue;
        modal_play(m, l, first + n, left[n], right[n], bus);
        if (!b->lives[first + n])
            modal_wipe(m, first + n);
    }
}

// Whether the note of lane n begins with this block: its modes are then to be tuned.
INLINE int modal_begins(const struct lane_block *b, int n)
{
    return b->started >> n & 1;
}
