// Sea: waves that swell, break and run back, 7 to 14 s from one to the next. How late, high, bright and long a wave is
// follows from its number; even and odd waves have eight bands of noise each, for the next rises while one runs back.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/instruments/bands.h"
#include "synth/instruments/one_by_one.h"

struct sea {
    struct lanes lanes;
    struct bands even[LANES], odd[LANES];
};

static const struct instrument_levels sea_levels = {.dry = 0.25f, .send = 0.08f};

enum { SEA_WAVE_BLOCKS = 7875 };       // 10.5 s
#define SEA_LATE 0.33f                 // a wave comes up to so much of that later

// The swell, its roar, the breaking, the running back, on either side. Times are in waves of 10.5 s since the swell
// began, at the top at .42, .46, .5, .78; all is over before the wave after the next can begin, 2 - SEA_LATE later.
static const struct {
    alignas(32) float begin[BANDS], end[BANDS];
    float climb[BANDS], sink[BANDS];     // a wave from the beginning to the top, from there to the end
    float octave[BANDS];                 // above 1 Hz
    float rises[BANDS];                  // octaves more at the peak
    float bright[BANDS];                 // octaves more of the brightest wave
    float damping[BANDS], gain[BANDS];
    float rest[BANDS];                   // gain between the waves
    float foam[BANDS];                   // how much of it is bubbles
    float cross[BANDS];                  // share of the other side's noise
} sea_bands = {
    .begin = EACH_SIDE(0.0f, 0.1f, 0.33f, 0.48f),
    .end = EACH_SIDE(1.15f, 1.2f, 1.1f, 1.62f),
    .climb = EACH_SIDE(1 / 0.42f, 1 / 0.36f, 1 / 0.17f, 1 / 0.3f),
    .sink = EACH_SIDE(1 / 0.73f, 1 / 0.74f, 1 / 0.6f, 1 / 0.84f),
    .octave = EACH_SIDE(6.4f, 7.9f, 10.2f, 12.2f),
    .rises = EACH_SIDE(0.7f, 1.1f, 0.8f, -0.5f),
    .bright = EACH_SIDE(0.1f, 0.3f, 0.8f, 0.6f),
    .damping = EACH_SIDE(1.2f, 1.3f, 1.5f, 1.3f),
    .gain = EACH_SIDE(1.0f, 0.6f, 0.4f, 0.13f),
    .rest = EACH_SIDE(0.2f, 0.15f, 0.05f, 0.045f),
    .foam = EACH_SIDE(0.0f, 0.1f, 0.25f, 0.6f),
    .cross = EACH_SIDE(1.0f, 0.45f, 0.1f, 0.05f),
};

// One wave and what its note asks of it.
struct sea_wave {
    float age;                 // since it would have begun, were it not late, in waves
    float height, brightness, pace;
    float lag;                 // of the side that it reaches later, in waves
    uint32_t late_side;        // all bits: the left
    float loudness, colour;    // colour: octaves
};

INLINE void sea_start(struct sea *s, int n)
{
    s->even[n] = s->odd[n] = (struct bands){.gain = {0}};
}

// The last wave of the given parity that may have begun. Waves run along the shore: a side is up to .05 waves late.
INLINE struct sea_wave sea_wave(const struct lanes *l, int n, const struct lane_block *b, const struct mix *mix,
                                uint32_t parity)
{
    uint32_t seed = note_seed(l->now.id[n]);
    uint64_t block = b->number + seed % SEA_WAVE_BLOCKS + SEA_WAVE_BLOCKS;
    uint64_t number = block / SEA_WAVE_BLOCKS;
    number -= (number ^ parity) & 1;
    uint32_t chance = chance_of(seed ^ chance_of((uint32_t)number)), more = chance_of(chance);
    float bright = l->now.brightness[n] * 0.5f + mix->brightness * 0.3f;
    float height = chance_unit_of(more);
    return (struct sea_wave){
        .age = (float)(block - number * SEA_WAVE_BLOCKS) * (1.0f / SEA_WAVE_BLOCKS)
            - chance_unit_of(chance) * SEA_LATE,
        .height = 0.45f + 0.55f * height,
        .brightness = bright + 0.4f * (height - 0.5f) + 0.2f * chance_unit_of(chance << 8),
        .pace = 1.0f + 0.18f * chance_unit_of(chance << 16),
        .lag = 0.05f * chance_unit_of(more << 12),
        .late_side = chance >> 31 ? UINT32_MAX : 0,
        .loudness = b->loudness[n],
        .colour = bands_colour(l->now.pitch[n]),
    };
}

// 0 before and after, 1 at the peak.
INLINE vf sea_height(const struct sea_wave *w, int first)
{
    vf age = (w->age - vf_bits(vu_bits(vf_set(w->lag)) & (bands_right(first) ^ w->late_side))) * w->pace;
    vf rise = vf_smooth_step((age - vf_load(sea_bands.begin + first)) * vf_load(sea_bands.climb + first));
    vf fall = vf_smooth_step((vf_load(sea_bands.end + first) - age) * vf_load(sea_bands.sink + first));
    return rise * fall;
}

// Bubbles that burst: a quick curve of each band.
INLINE vf sea_foam(uint32_t seed, uint32_t block, int first)
{
    vu band = vu_count((uint32_t)first);
    vf curve = chance_curve((seed ^ 0x85ebca6bu) + band * 0x27220a95u,
                            block * (CHANCE_PACE(11.0) + band * CHANCE_PACE(1.3)));
    return 1.0f + curve * vf_load(sea_bands.foam + first);
}

INLINE struct band_wish sea_wish(const struct sea_wave *w, int first, vf foam)
{
    vf up = sea_height(w, first), bright = vf_load(sea_bands.bright + first) * w->brightness;
    vf octave = vf_load(sea_bands.octave + first) + vf_load(sea_bands.rises + first) * up + bright * up + w->colour;
    vf gain = vf_load(sea_bands.rest + first) + vf_load(sea_bands.gain + first) * up * (w->height * (1.0f + bright));
    return (struct band_wish){
        .hz = vf_exp2(octave),
        .damping = vf_load(sea_bands.damping + first),
        .gain = gain * foam * w->loudness,
        .cross = vf_load(sea_bands.cross + first),
    };
}

INLINE void sea_note(struct sea *s, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct bands *waves[] = {&s->even[n], &s->odd[n]};
    struct bands_control c[2];
    uint32_t seed = note_seed(s->lanes.now.id[n]);
    struct sea_wave even = sea_wave(&s->lanes, n, b, mix, 0), odd = sea_wave(&s->lanes, n, b, mix, 1);
    struct pan_gains pan = bands_place(s->lanes.now.pan[n]);
    for (int k = 0; k < BAND_VECTORS; k++) {
        vf foam = sea_foam(seed, b->number, k * SYNTH_WIDTH);
        bands_load(&c[0], k, waves[0], sea_wish(&even, k * SYNTH_WIDTH, foam), pan);
        bands_load(&c[1], k, waves[1], sea_wish(&odd, k * SYNTH_WIDTH, foam), pan);
    }
    bands_play_both(waves, c, seed, n, b, bus);
}

LANES_ONE_BY_ONE(sea)
