// Rain: a bed of hiss, and single drops in the four upper bands, more of them the brighter the note is.
#pragma once
#include "synth/instruments/weather.h"

enum { RAIN_DROP_SHIFT = 5, RAIN_BED_BANDS = 4 };    // 43 ms a drop

struct rain {
    struct lanes lanes;
    struct weather weather;
};

static const struct instrument_levels rain_levels = {.dry = 0.19f, .send = 0.087f};

INLINE void rain_start(struct rain *r, int n)
{
    weather_start(&r->weather, n, note_seed(r->lanes.now.id[n]), 0);
}

// Drops differ by 24 dB in strength, and most are small.
INLINE struct weather_wish rain_drop(uint32_t seed, float bright, uint32_t block, int first, vf band)
{
    struct weather_drops drops = weather_drops(weather_seeds(seed, first, 1), block, RAIN_DROP_SHIFT);
    float share = 0.15f + 0.6f * bright;
    vf falls = vf_bits(vu_bits(vf_set(1.0f)) & vf_less(drops.chance, vf_set(share)));
    vf strength = falls * vf_exp2(drops.chance * (-4.0f / share));
    return (struct weather_wish){
        .octaves = 9.6f + (band - (float)RAIN_BED_BANDS) * 0.4f + drops.pitch * 1.3f,
        .damping = vf_set(0.09f),
        .gain = strength * vf_exp2(drops.age * -0.4f) * 1.6f,
    };
}

INLINE struct weather_wish rain_wish(const struct lanes *l, int n, uint32_t seed, float bright, uint32_t block,
                                     int first)
{
    (void)l;
    (void)n;
    vf band = vf_from(weather_band(first));
    vu is_bed = vf_less(band, vf_set(RAIN_BED_BANDS - 0.5f));
    struct weather_wish drop = rain_drop(seed, bright, block, first, band);
    vf heavier = weather_curve(weather_seeds(seed, first, 1), block, 5100);
    vf bed = (0.3f + 0.25f * heavier) * (0.5f + 0.5f * bright) * vf_exp2(band * -0.35f);
    return (struct weather_wish){
        .octaves = vf_select(is_bed, 9.7f + band * 1.05f, drop.octaves),
        .damping = vf_select(is_bed, vf_set(1.4f), drop.damping),
        .gain = vf_select(is_bed, bed, drop.gain),
    };
}

WEATHER_LANES(rain)
