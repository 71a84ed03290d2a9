// Wind: gusts that open eight bands of noise on each side, two of which whistle. Speed and what each band makes of it
// are curves of the note and the absolute block. The lows are one for both sides, above them each has its own noise.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/instruments/bands.h"
#include "synth/instruments/one_by_one.h"

struct wind {
    struct lanes lanes;
    struct bands low[LANES], high[LANES];
};

static const struct instrument_levels wind_levels = {.dry = 0.67f, .send = 0.2f};

// What the eight bands of one half are like, left and right alike.
struct wind_bands {
    alignas(32) float octave[BANDS];     // above 1 Hz, in still air
    float damping[BANDS], gain[BANDS];
    float lift[BANDS];                   // octaves that a storm adds
    float opens[BANDS];                  // octaves of gain, from still air to a storm
    float strays[BANDS], comes[BANDS];   // octaves of frequency and of gain by the band's own curve
    float cross[BANDS];                  // share of the other side's noise
};

static const struct wind_bands wind_low = {
    .octave = EACH_SIDE(6.1f, 7.1f, 8.0f, 8.8f),
    .damping = EACH_SIDE(1.3f, 1.1f, 1.0f, 0.9f),
    .gain = EACH_SIDE(0.55f, 0.5f, 0.36f, 0.26f),
    .lift = EACH_SIDE(0.2f, 0.4f, 0.6f, 0.8f),
    .opens = EACH_SIDE(2.2f, 2.6f, 3.0f, 3.6f),
    .strays = EACH_SIDE(0.0f, 0.1f, 0.35f, 0.4f),
    .comes = EACH_SIDE(0.0f, 0.3f, 0.8f, 1.0f),
    .cross = EACH_SIDE(1.0f, 1.0f, 0.4f, 0.2f),
};

static const struct wind_bands wind_high = {
    .octave = EACH_SIDE(9.1f, 9.8f, 10.2f, 11.4f),
    .damping = EACH_SIDE(0.1f, 0.08f, 0.9f, 1.2f),
    .gain = EACH_SIDE(0.16f, 0.08f, 0.1f, 0.035f),
    .lift = EACH_SIDE(0.7f, 0.7f, 0.7f, 0.5f),
    .opens = EACH_SIDE(3.6f, 4.0f, 4.0f, 4.4f),
    .strays = EACH_SIDE(0.5f, -0.5f, 0.4f, 0.3f),
    .comes = EACH_SIDE(2.0f, -2.5f, -0.8f, 0.6f),
    .cross = EACH_SIDE(0.15f, 0.15f, 0.1f, 0.1f),
};

INLINE void wind_start(struct wind *w, int n)
{
    w->low[n] = w->high[n] = (struct bands){.gain = {0}};
}

// One note's block, the same for all its bands.
struct wind_weather {
    uint32_t seed, block;
    float loudness, brightness, motion;
    float colour;        // octaves
};

// What moves SYNTH_WIDTH bands.
struct wind_air {
    vf speed;     // 0 still .. 1 storm
    vf own;       // curve of the band, -1..1
};

// A gust reaches one side .9 s after the other.
INLINE struct wind_air wind_air(const struct wind_weather *o, int first)
{
    vu band = vu_count((uint32_t)first);
    vu block = o->block + (bands_right(first) & (o->seed & 2 ? 700u : -700u));
    vf slow = chance_curve(vu_set(o->seed), block * CHANCE_PACE(0.05));
    vf quick = chance_curve(vu_set(o->seed + 1), block * CHANCE_PACE(0.21));
    return (struct wind_air){
        .speed = 0.5f + slow * (0.2f + 0.15f * o->motion) + quick * 0.18f,
        .own = chance_curve((o->seed ^ 0x85ebca6bu) + band * 0x27220a95u,
                            o->block * (CHANCE_PACE(0.07) + band * CHANCE_PACE(0.013))),
    };
}

INLINE struct band_wish wind_wish(const struct wind_weather *o, const struct wind_bands *bands, int first,
                                  struct wind_air air)
{
    vf octave = vf_load(bands->octave + first) + vf_load(bands->lift + first) * (air.speed - 0.3f)
        + vf_load(bands->strays + first) * air.own + o->colour;
    vf open = vf_load(bands->opens + first) * (air.speed - 0.75f + 0.4f * (o->brightness - 0.5f))
        + vf_load(bands->comes + first) * air.own;
    return (struct band_wish){
        .hz = vf_exp2(octave),
        .damping = vf_load(bands->damping + first),
        .gain = vf_load(bands->gain + first) * vf_exp2(open) * o->loudness,
        .cross = vf_load(bands->cross + first),
    };
}

INLINE struct wind_weather wind_weather(const struct lanes *l, int n, const struct lane_block *b, const struct mix *mix)
{
    return (struct wind_weather){
        .seed = note_seed(l->now.id[n]),
        .block = b->number,
        .loudness = b->loudness[n],
        .brightness = l->now.brightness[n] * 0.6f + mix->brightness * 0.4f,
        .motion = mix->motion,
        .colour = bands_colour(l->now.pitch[n]),
    };
}

INLINE void wind_note(struct wind *w, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct bands *halves[] = {&w->low[n], &w->high[n]};
    struct bands_control c[2];
    struct wind_weather weather = wind_weather(&w->lanes, n, b, mix);
    struct pan_gains pan = bands_place(w->lanes.now.pan[n]);
    for (int k = 0; k < BAND_VECTORS; k++) {
        int first = k * SYNTH_WIDTH;
        struct wind_air air = wind_air(&weather, first);
        bands_load(&c[0], k, halves[0], wind_wish(&weather, &wind_low, first, air), pan);
        bands_load(&c[1], k, halves[1], wind_wish(&weather, &wind_high, first, air), pan);
    }
    bands_play_both(halves, c, weather.seed, n, b, bus);
}

LANES_ONE_BY_ONE(wind)
