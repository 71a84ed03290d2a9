// Rain: a bed of noise that prickles, and eight sources of drops, each a short ping whose pitch, weight and place are
// those of its cell. Drops begin over four blocks, so that next to nothing of them lies above 12 kHz.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/bands.h"
#include "synth/instruments/cells.h"
#include "synth/instruments/one_by_one.h"

struct rain {
    struct lanes lanes;
    struct bands bed[LANES];
    struct cells drops[LANES];
};

static const struct instrument_levels rain_levels = {.dry = 0.35f, .send = 0.12f};

static const struct {
    alignas(32) float octave[BANDS];     // above 1 Hz
    float damping[BANDS], gain[BANDS];
    float bright[BANDS];                 // octaves of gain, from dark to bright
    float prickle[BANDS];                // how much the gain shivers
    float cross[BANDS];                  // share of the other side's noise
} rain_bed = {
    .octave = EACH_SIDE(6.6f, 9.2f, 11.1f, 12.7f),
    .damping = EACH_SIDE(1.3f, 1.6f, 1.7f, 1.6f),
    .gain = EACH_SIDE(0.3f, 0.12f, 0.14f, 0.1f),
    .bright = EACH_SIDE(0.2f, 0.8f, 1.6f, 2.4f),
    .prickle = EACH_SIDE(0.0f, 0.3f, 0.5f, 0.6f),
    .cross = EACH_SIDE(1.0f, 0.4f, 0.25f, 0.2f),
};

// One note's block.
struct rain_shower {
    uint32_t seed, block;
    float loudness, brightness, density;
    float own;                 // brightness of the note alone: pitches may not move with the mix
    float colour;              // octaves
};

// Waves of a sine each, by turning on from the last two values.
struct rain_pings {
    vf now[CELL_VECTORS], before[CELL_VECTORS], turn[CELL_VECTORS];
};

INLINE void rain_start(struct rain *r, int n)
{
    r->bed[n] = (struct bands){.gain = {0}};
    r->drops[n] = (struct cells){{0}};
}

INLINE struct rain_shower rain_shower(const struct lanes *l, int n, const struct lane_block *b, const struct mix *mix)
{
    uint32_t seed = note_seed(l->now.id[n]);
    float bright = l->now.brightness[n] * 0.6f + mix->brightness * 0.4f;
    float swells = vf_first(chance_curve(vu_set(seed + 1), vu_set(b->number * CHANCE_PACE(0.09))));
    return (struct rain_shower){
        .seed = seed,
        .block = b->number,
        .loudness = b->loudness[n] * (1.0f + 0.25f * swells),
        .brightness = bright,
        .own = l->now.brightness[n],
        .density = 0.3f + 0.4f * bright + 0.35f * l->now.velocity[n] + 0.12f * swells,
        .colour = bands_colour(l->now.pitch[n]),
    };
}

INLINE struct band_wish rain_wish(const struct rain_shower *o, int first)
{
    vu band = vu_count((uint32_t)first);
    vf shiver = chance_curve((o->seed ^ 0x85ebca6bu) + band * 0x27220a95u,
                             o->block * (CHANCE_PACE(70.0) + band * CHANCE_PACE(9.0)));
    vf gain = vf_load(rain_bed.gain + first) * vf_exp2(vf_load(rain_bed.bright + first) * (o->brightness - 0.5f));
    return (struct band_wish){
        .hz = vf_exp2(vf_load(rain_bed.octave + first) + o->colour),
        .damping = vf_load(rain_bed.damping + first),
        .gain = gain * (1.0f + vf_load(rain_bed.prickle + first) * shiver) * o->loudness,
        .cross = vf_load(rain_bed.cross + first),
    };
}

// The level of drops at their place in the cell: silent, up within four blocks, down to nothing in a few more; `rate`
// is what goes in the first of them. All is over by the end of the shortest cell.
INLINE vf rain_fall(struct cell cell, vf from, vf rate)
{
    vf age = (cell.share - from) * cell.blocks;
    vf left = vf_max(1.0f - vf_max(age, (vf){0}) * (rate * 0.25f), (vf){0});
    return vf_smooth_step(age * 0.3f) * (left * left) * (left * left);
}

// Most drops are small, high and short.
INLINE void rain_drops(const struct rain_shower *o, int k, const struct cells *s, struct cells_control *c,
                       struct rain_pings *p)
{
    struct cell cell = cell_at(o->seed, o->block, k * SYNTH_WIDTH, CHANCE_PACE(9.0), CHANCE_PACE(11.0));
    vu more = chance_bits(cell.chance + 1);
    vf size = chance_unit(cell.chance), weight = chance_unit(more);
    vf falls = vf_clamp((o->density - chance_unit(more << 8)) * 8.0f, 0.0f, 1.0f);
    vf pitch = 12.3f - size * size * 1.9f + 0.8f * chance_unit(more << 4) + 0.6f * (o->own - 1.2f) + o->colour;
    vf level = falls * (0.14f + weight * weight * (0.4f + 0.45f * size));
    vf fall = rain_fall(cell, 0.01f + chance_unit(more << 16) * 0.25f, 0.6f - size * 0.42f);
    cells_load(c, k, s, level * fall * o->loudness, chance_unit(cell.chance << 12));
    vu turn = phase_increment(vf_exp2(pitch)), phase = o->block * CONTROL_FRAMES * turn + cell.chance;
    p->now[k] = vf_sin_phase(phase);
    p->before[k] = vf_sin_phase(phase - turn);
    p->turn[k] = 2.0f * vf_sin_phase(turn + 0x40000000u);
}

INLINE vf rain_ping(struct rain_pings *p, int k)
{
    vf now = p->now[k];
    p->now[k] = p->turn[k] * now - p->before[k];
    p->before[k] = now;
    return now;
}

INLINE void rain_note(struct rain *r, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
    struct bands_control bed;
    struct cells_control drops;
    struct rain_pings pings;
    struct rain_shower shower = rain_shower(&r->lanes, n, b, mix);
    struct pan_gains pan = bands_place(r->lanes.now.pan[n]);
    for (int k = 0; k < BAND_VECTORS; k++) {
        bands_load(&bed, k, &r->bed[n], rain_wish(&shower, k * SYNTH_WIDTH), pan);
        rain_drops(&shower, k, &r->drops[n], &drops, &pings);
    }
    noise_fill(shower.seed, b->number, left, right);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf own[CELL_VECTORS], other[CELL_VECTORS];
        for (int k = 0; k < CELL_VECTORS; k++) {
            own[k] = cells_tick(&drops, k, rain_ping(&pings, k));
            other[k] = own[k] * drops.across[k];
            own[k] += bands_tick(&bed, k, left[i], right[i]);
        }
        for (int k = 0; k < CELL_VECTORS; k++)
            lane_bus_sides(bus, i, k * SYNTH_WIDTH, own[k] + lane_bus_across(other, k));
    }
    bands_keep(&r->bed[n], &bed, b->lives[n]);
    cells_keep(&r->drops[n], &drops, b->lives[n]);
}

LANES_ONE_BY_ONE(rain)
