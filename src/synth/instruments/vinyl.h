// Vinyl: the rumble of a turntable, the hiss of a surface, and dust in the groove.
#pragma once
#include "synth/instruments/weather.h"

enum { VINYL_DUST_SHIFT = 8, VINYL_SURFACE_BANDS = 4 };    // .34 s a crackle

struct vinyl {
    struct lanes lanes;
    struct weather weather;
};

static const struct instrument_levels vinyl_levels = {.dry = 0.68f, .send = 0.05f};

INLINE void vinyl_start(struct vinyl *v, int n)
{
    weather_start(&v->weather, n, note_seed(v->lanes.now.id[n]), 1);
}

INLINE struct weather_wish vinyl_dust(uint32_t seed, float bright, uint32_t block, int first)
{
    struct weather_drops drops = weather_drops(weather_seeds(seed, first, 1), block, VINYL_DUST_SHIFT);
    float share = 0.2f + 0.5f * bright;
    vf falls = vf_bits(vu_bits(vf_set(1.0f)) & vf_less(drops.chance, vf_set(share)));
    return (struct weather_wish){
        .octaves = 9.3f + drops.pitch * 2.3f,
        .damping = vf_set(0.6f),
        .gain = falls * vf_exp2(drops.chance * (-3.0f / share) - drops.age * 1.1f) * 1.3f,
    };
}

INLINE struct weather_wish vinyl_wish(const struct lanes *l, int n, uint32_t seed, float bright, uint32_t block,
                                      int first)
{
    (void)l;
    (void)n;
    vf band = vf_from(weather_band(first));
    vu is_surface = vf_less(band, vf_set(VINYL_SURFACE_BANDS - 0.5f)), is_rumble = vf_less(band, vf_set(0.5f));
    struct weather_wish dust = vinyl_dust(seed, bright, block, first);
    vf wow = weather_curve(weather_seeds(seed, first, 1), block, 800);
    vf surface = vf_select(is_rumble, vf_set(0.9f), (0.1f + 0.03f * wow) * (0.6f + 0.8f * bright));
    return (struct weather_wish){
        .octaves = vf_select(is_surface, vf_select(is_rumble, vf_set(5.3f), 10.2f + band * 0.8f), dust.octaves),
        .damping = vf_select(is_surface, vf_set(1.2f), dust.damping),
        .gain = vf_select(is_surface, surface, dust.gain),
    };
}

WEATHER_LANES(vinyl)
