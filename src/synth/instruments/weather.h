// Weather: one note is noise through eight bands for each side, whose strengths are all that differs between rain,
// wind, sea and the dust of a record. Curves and drops follow from the note and the absolute block alone.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/dsp/svf.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

// Band n / 2, on the left where n is even.
enum { WEATHER_BANDS = 16 };

struct weather_note {
    uint32_t noise[WEATHER_BANDS];
    float one[WEATHER_BANDS], two[WEATHER_BANDS];                          // filter memories
    float a1[WEATHER_BANDS], a2[WEATHER_BANDS], a3[WEATHER_BANDS];         // filter coefficients reached
    float gain[WEATHER_BANDS];                                             // reached
};

struct weather {
    alignas(64) struct weather_note note[LANES];
};

// What a block is to end with, for some bands.
struct weather_wish {
    vf octaves;    // of the band's middle over 1 Hz
    vf damping, gain;
};

// 0, 0, 1, 1 ... from `first` on, and all bits where the side is the left one.
INLINE vu weather_band(int first)
{
    alignas(64) uint32_t band[SYNTH_WIDTH];
    for (int n = 0; n < SYNTH_WIDTH; n++)
        band[n] = (uint32_t)(first + n) / 2;
    return vu_load(band);
}

INLINE vu weather_is_left(int first)
{
    alignas(64) uint32_t left[SYNTH_WIDTH];
    for (int n = 0; n < SYNTH_WIDTH; n++)
        left[n] = (first + n) % 2 ? 0 : UINT32_MAX;
    return vu_load(left);
}

// A seed for each band, and for each side of it where `sides` is set.
INLINE vu weather_seeds(uint32_t seed, int first, int sides)
{
    vu band = weather_band(first);
    if (sides)
        band += ~weather_is_left(first) & 64;
    return (band + seed) * 0x9e3779b1u;
}

// 0 .. 1, hashed.   Source of the constants: C. Wellons, Prospecting for hash functions (2018).
INLINE vf weather_chance(vu x)
{
    x ^= x >> 16;
    x *= 0x7feb352d;
    x ^= x >> 15;
    x *= 0x846ca68b;
    x ^= x >> 16;
    return vf_from(x >> 8) * 0x1p-24f;
}

// A curve between hashed knots, 0 .. 1, of which every note and band has its own.   period: blocks.
INLINE vf weather_curve(vu seeds, uint32_t block, uint32_t period)
{
    uint32_t knot = block / period;
    float share = smooth_of((float)(block % period) / (float)period);
    vf from = weather_chance(seeds + knot * 0x85ebca6bu), to = weather_chance(seeds + (knot + 1) * 0x85ebca6bu);
    return from + (to - from) * share;
}

// What drops: each band has its own stretches of 1 << shift blocks, and in each of them one may fall.
struct weather_drops {
    vf chance, pitch;    // hashed, of the drop that has fallen last: its strength and its height
    vf age;              // blocks since it fell
};

INLINE struct weather_drops weather_drops(vu seeds, uint32_t block, int shift)
{
    vu place = (seeds >> (32 - shift)) + block, stretch = place >> shift;
    return (struct weather_drops){
        .chance = weather_chance(seeds + stretch * 0xc2b2ae35u),
        .pitch = weather_chance(seeds + stretch * 0x27d4eb2fu),
        .age = vf_from(place - (stretch << shift)),
    };
}

// Bands below `middle` of them have the same noise on both sides.
INLINE void weather_start(struct weather *w, int n, uint32_t seed, int middle)
{
    struct weather_note *note = &w->note[n];
    memset(note, 0, sizeof *note);
    for (int i = 0; i < WEATHER_BANDS; i++)
        note->noise[i] = ((seed + (uint32_t)(i / 2 < middle ? i & ~1 : i)) * 0x85ebca6bu) | 1;
}

INLINE void weather_frames(struct weather_note *note, int first, const struct svf_coefficients *wanted, vf gain_to,
                           int begins, vu lives, struct lane_bus *bus)
{
    vu noise = vu_load(note->noise + first), is_left = weather_is_left(first);
    struct svf_memory memory = {vf_load(note->one + first), vf_load(note->two + first)};
    struct svf_coefficients now = {vf_load(note->a1 + first), vf_load(note->a2 + first), vf_load(note->a3 + first)};
    if (begins)
        now = *wanted;
    struct svf_coefficients step = svf_step(&now, wanted);
    vf gain = vf_load(note->gain + first), gain_step = (gain_to - gain) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        svf_advance(&now, &step);
        gain += gain_step;
        vf out = svf_tick(&memory, &now, noise_tick(&noise)).band * gain;
        lane_bus_join(bus->left[i], first, vf_bits(vu_bits(out) & is_left));
        lane_bus_join(bus->right[i], first, vf_bits(vu_bits(out) & ~is_left));
    }
    vu_store(note->noise + first, noise & lives);
    lane_keep(note->one + first, memory.one, lives);
    lane_keep(note->two + first, memory.two, lives);
    lane_keep(note->a1 + first, now.a1, lives);
    lane_keep(note->a2 + first, now.a2, lives);
    lane_keep(note->a3 + first, now.a3, lives);
    lane_keep(note->gain + first, gain, lives);
}

// Renders SYNTH_WIDTH bands of the note on lane n from `first` on.
INLINE void weather_play(struct weather *w, const struct lanes *l, int n, const struct lane_block *b, int first,
                         const struct weather_wish *wish, struct lane_bus *bus)
{
    struct pan_gains pan = pan_gains(vf_set(l->now.pan[n] * 0.5f));
    struct svf_coefficients wanted = svf_design(vf_exp2(wish->octaves), wish->damping);
    vf gain = wish->gain * vf_select(weather_is_left(first), pan.left, pan.right) * b->loudness[n];
    weather_frames(&w->note[n], first, &wanted, gain, b->started >> n & 1, vu_set(b->lives[n]), bus);
}

// Plays the notes on the lanes of an instrument from `first` on, one after the other: NAME_wish says how.
#define WEATHER_LANES(name)                                                                                     \
    INLINE void name##_lanes(struct name *group, int first, const struct lane_block *b, const struct mix *mix,  \
                             struct lane_bus *bus)                                                              \
    {                                                                                                           \
        for (int n = first; n < first + SYNTH_WIDTH; n++) {                                                     \
            if (!(b->sounding >> n & 1))                                                                        \
                continue;                                                                                       \
            uint32_t seed = note_seed(group->lanes.now.id[n]);                                                  \
            float bright = group->lanes.now.brightness[n] * 0.6f + mix->brightness * 0.4f;                      \
            for (int band = 0; band < WEATHER_BANDS; band += SYNTH_WIDTH) {                                     \
                struct weather_wish wish = name##_wish(&group->lanes, n, seed, bright, b->number, band);        \
                weather_play(&group->weather, &group->lanes, n, b, band, &wish, bus);                           \
            }                                                                                                   \
        }                                                                                                       \
    }
