// Eight sources that a note is made of, drops of rain or grains of a cloud: the lanes are theirs, for no more than a
// note or two of a texture sounds at once. Each has cells of its own length in absolute time, and what happens in one
// follows from the note, the source and the number of the cell. The first four sources are to the left, the others to
// the right; from there a source comes to the other side as well.
#pragma once
#include "synth/dsp/chance.h"
#include "synth/dsp/math.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"

enum { CELL_SOURCES = 8, CELL_VECTORS = CELL_SOURCES / SYNTH_WIDTH };

// What is kept of one note: gains reached. It begins silent.
struct cells {
    alignas(32) float gain[CELL_SOURCES];
};

// Where SYNTH_WIDTH sources are at the end of a block.
struct cell {
    vu chance;     // of the cell
    vf share;      // of the cell that has gone, 0..1
    vf blocks;     // length of the cell
};

// seed: of the note and these sources.   pace, paces: a source's cells last 2^20 / pace blocks, another's less, down to
// 2^20 / (pace + paces).
INLINE struct cell cell_at(uint32_t seed, uint32_t block, int first, uint32_t pace, uint32_t paces)
{
    vu source = chance_bits(seed + vu_count((uint32_t)first) * 0x9e3779b1u);
    vu own = pace + (source >> 24) * (paces >> 8);
    vu time = (block + 1) * own + source;
    return (struct cell){
        .chance = chance_bits(source ^ (time >> 20) * 0x27220a95u),
        .share = vf_from(time & 0xfffffu) * 0x1p-20f,
        .blocks = 0x1p20f / vf_from(own),
    };
}

// What the sources of one note do during one block.
struct cells_control {
    vf gain[CELL_VECTORS], step[CELL_VECTORS];
    vf across[CELL_VECTORS];   // how much of a source comes to the other side, 0..1
};

// Begins a block on vector k. gain: by its end.
INLINE void cells_load(struct cells_control *c, int k, const struct cells *s, vf gain, vf across)
{
    c->gain[k] = vf_load(s->gain + k * SYNTH_WIDTH);
    c->step[k] = (gain * (1.0f - across * across * 0.293f) - c->gain[k]) * (1.0f / CONTROL_FRAMES);
    c->across[k] = across;
}

// One frame of vector k: what the sources say, each on its side.
INLINE vf cells_tick(struct cells_control *c, int k, vf say)
{
    c->gain[k] += c->step[k];
    return say * c->gain[k];
}

// lives: all bits when the note goes on.
INLINE void cells_keep(struct cells *s, const struct cells_control *c, uint32_t lives)
{
    for (int k = 0; k < CELL_VECTORS; k++)
        lane_keep(s->gain + k * SYNTH_WIDTH, c->gain[k], vu_set(lives));
}
