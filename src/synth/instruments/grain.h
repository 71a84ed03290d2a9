// Grain: a cloud of sixteen overlapping grains around a pitch, each a soft tone of 80 to 400 ms under a round window.
// Pitch, length, weight and place of a grain are those of its cell; what the mix asks for moves levels alone.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/cells.h"
#include "synth/instruments/one_by_one.h"
#include "synth/instruments/pan.h"

struct grain {
    struct lanes lanes;
    struct cells wide[LANES], central[LANES];   // eight grains far out, eight near the middle
};

static const struct instrument_levels grain_levels = {.dry = 0.098f, .send = 0.1f};

// One note's block.
struct grain_cloud {
    uint32_t seed, block;
    float pitch, brightness;         // of the note
    float loudness, bright, density;
    float spread;                    // -1 near the middle .. 1 far out
    struct pan_gains pan;
};

// Eight grains of one note during one block. The sine and the cosine turn on from frame to frame; a tone is the sine
// times the square of (level + bend cosine), which adds the second and third harmonic.
struct grain_tones {
    struct cells_control cells;
    vf sine[CELL_VECTORS], cosine[CELL_VECTORS];
    vf turn_sine[CELL_VECTORS], turn_cosine[CELL_VECTORS];
    vf level[CELL_VECTORS], bend[CELL_VECTORS];
};

INLINE void grain_start(struct grain *g, int n)
{
    g->wide[n] = g->central[n] = (struct cells){{0}};
}

INLINE struct grain_cloud grain_cloud(const struct lanes *l, int n, const struct lane_block *b, const struct mix *mix)
{
    float bright = l->now.brightness[n] * 0.5f + mix->brightness * 0.5f;
    return (struct grain_cloud){
        .seed = note_seed(l->now.id[n]),
        .block = b->number,
        .pitch = l->now.pitch[n],
        .brightness = l->now.brightness[n],
        .loudness = b->loudness[n],
        .bright = bright,
        .density = 0.5f + 0.3f * bright + 0.3f * mix->motion,
        .spread = mix->motion * 2.0f - 1.0f,
        .pan = pan_gains(vf_set(l->now.pan[n] * 0.4f)),
    };
}

// Semitones from the note: most grains are at it, others an octave above, a fifth above, or an octave below.
INLINE vf grain_interval(vf chance, float brightness)
{
    vf low = vf_select(vf_less(chance, vf_set(0.9f)), vf_set(7.0f), vf_set(-12.0f));
    vf high = vf_select(vf_less(chance, vf_set(0.6f + 0.2f * brightness)), vf_set(12.0f), low);
    return vf_select(vf_less(chance, vf_set(0.5f)), (vf){0}, high);
}

// The window at the grain's place in the cell: two to five fifths of it, and nothing at its ends.
INLINE vf grain_window(struct cell cell, vf longer, vf later)
{
    vf length = 0.4f + longer * 0.57f;
    vf place = (cell.share - 0.01f - later * (0.97f - length)) / length;
    vf half = vf_sin_turns(vf_clamp(place, 0.0f, 1.0f) * 0.4999f);
    return half * half;
}

INLINE void grain_tone(struct grain_tones *t, int k, const struct grain_cloud *o, vf hz, vu phase)
{
    vf gentle = vf_min(600.0f / hz, vf_set(1.0f)) * (0.3f + 0.7f * o->brightness);
    vu turn = phase_increment(hz);
    phase += o->block * CONTROL_FRAMES * turn;
    t->sine[k] = vf_sin_phase(phase);
    t->cosine[k] = vf_sin_phase(phase + 0x40000000u);
    t->turn_sine[k] = vf_sin_phase(turn);
    t->turn_cosine[k] = vf_sin_phase(turn + 0x40000000u);
    t->bend[k] = gentle * 0.65f;
    t->level[k] = 1.0f - gentle * 0.2f;
}

// wide: 0 near the middle .. 1 far out.
INLINE void grain_load(struct grain_tones *t, int k, const struct cells *s, const struct grain_cloud *o, uint32_t seed,
                       float wide)
{
    struct cell cell = cell_at(seed, o->block, k * SYNTH_WIDTH, CHANCE_PACE(2.5), CHANCE_PACE(2.5));
    vu more = chance_bits(cell.chance + 1), right = vu_nonzero(vu_count((uint32_t)(k * SYNTH_WIDTH)) & 4);
    vf interval = grain_interval(chance_unit(cell.chance), o->brightness);
    vf detune = chance_unit(more << 8) * 0.16f - 0.08f;
    vf hz = vf_min(pitch_hz(o->pitch + interval + detune), vf_set(8000.0f));
    vf window = grain_window(cell, chance_unit(cell.chance << 8), chance_unit(cell.chance << 16));
    vf sounds = vf_clamp((o->density - chance_unit(more << 16)) * 8.0f, 0.0f, 1.0f);
    vf weight = (0.35f + 0.65f * chance_unit(more)) * (1.0f + vf_clamp(interval, 0.0f, 1.0f) * (o->bright - 0.6f));
    weight *= 1.0f + (wide * 2.0f - 1.0f) * 0.4f * o->spread;
    vf across = (1.0f - wide) * 0.5f + chance_unit(more << 4) * 0.4f;
    // Low grains stay in the middle.
    across = vf_max(across, vf_clamp((260.0f - hz) * (1.0f / 120.0f), 0.0f, 1.0f));
    cells_load(&t->cells, k, s, window * sounds * weight * vf_select(right, o->pan.right, o->pan.left) * o->loudness,
               across);
    grain_tone(t, k, o, hz, cell.chance);
}

// One frame of vector k: its grains, each on its side.
INLINE vf grain_tick(struct grain_tones *t, int k)
{
    vf sine = t->sine[k], cosine = t->cosine[k];
    t->sine[k] = sine * t->turn_cosine[k] + cosine * t->turn_sine[k];
    t->cosine[k] = cosine * t->turn_cosine[k] - sine * t->turn_sine[k];
    vf bent = t->bend[k] * cosine + t->level[k];
    return cells_tick(&t->cells, k, sine * bent * bent);
}

INLINE void grain_note(struct grain *g, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct grain_tones wide, central;
    struct grain_cloud cloud = grain_cloud(&g->lanes, n, b, mix);
    for (int k = 0; k < CELL_VECTORS; k++) {
        grain_load(&wide, k, &g->wide[n], &cloud, cloud.seed, 1.0f);
        grain_load(&central, k, &g->central[n], &cloud, ~cloud.seed, 0.0f);
    }
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf own[CELL_VECTORS], other[CELL_VECTORS];
        for (int k = 0; k < CELL_VECTORS; k++) {
            vf far = grain_tick(&wide, k), near = grain_tick(&central, k);
            own[k] = far + near;
            other[k] = far * wide.cells.across[k] + near * central.cells.across[k];
        }
        for (int k = 0; k < CELL_VECTORS; k++)
            lane_bus_sides(bus, i, k * SYNTH_WIDTH, own[k] + lane_bus_across(other, k));
    }
    cells_keep(&g->wide[n], &wide.cells, b->lives[n]);
    cells_keep(&g->central[n], &central.cells, b->lives[n]);
}

LANES_ONE_BY_ONE(grain)
