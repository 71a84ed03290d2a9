// Sea: waves that rise for some seconds, break and run back. One begins in each stretch of ten seconds, anywhere in the
// first third of it, and no two are alike; a wave may still run back while the next one rises.
#pragma once
#include "synth/instruments/weather.h"

enum { SEA_STRETCH_BLOCKS = 7500 };

struct sea {
    struct lanes lanes;
    struct weather weather;
};

static const struct instrument_levels sea_levels = {.dry = 0.89f, .send = 0.26f};

INLINE void sea_start(struct sea *s, int n)
{
    weather_start(&s->weather, n, note_seed(s->lanes.now.id[n]), 2);
}

// What a wave gives to bands `block` blocks into its stretch: the deep ones first, the hiss when it breaks.
INLINE vf sea_wave(vu seeds, float block, vf band)
{
    const float blocks_per_second = (float)FRAME_RATE / CONTROL_FRAMES;
    vf start = weather_chance(seeds) * (SEA_STRETCH_BLOCKS / 3.0f);
    vf height = 0.35f + 0.65f * weather_chance(seeds + 1);
    vf rise = (2.6f + 1.8f * weather_chance(seeds + 2)) * blocks_per_second;
    vf run = (3.0f + 2.5f * weather_chance(seeds + 3)) * blocks_per_second;
    vf at = (block - start) / rise;
    vf up = vf_clamp(at, 0.0f, 1.0f), down = vf_clamp((block - start - rise) / run, 0.0f, 1.0f);
    down = 1.0f - down;
    vf shape = vf_smooth(up) * down * down;
    // Each band higher up waits for more of the wave.
    return height * vf_exp2(vf_log2(shape + 1e-4f) * (0.8f + 0.3f * band));
}

INLINE struct weather_wish sea_wish(const struct lanes *l, int n, uint32_t seed, float bright, uint32_t block,
                                    int first)
{
    vf band = vf_from(weather_band(first));
    uint32_t stretch = block / SEA_STRETCH_BLOCKS, within = block % SEA_STRETCH_BLOCKS;
    vu last = vu_set((seed + stretch - 1) * 0x9e3779b1u), now = vu_set((seed + stretch) * 0x9e3779b1u);
    vf wave = sea_wave(last, (float)within + SEA_STRETCH_BLOCKS, band) + sea_wave(now, (float)within, band);
    vf spread = weather_curve(weather_seeds(seed, first, 1), block, 1900);
    return (struct weather_wish){
        .octaves = 6.5f + (l->now.pitch[n] - 60.0f) * (0.25f / 12.0f) + band * 0.84f,
        .damping = vf_set(1.3f),
        .gain = (0.04f + wave) * (0.7f + 0.6f * spread) * vf_exp2(band * (-0.55f + 0.35f * bright)),
    };
}

WEATHER_LANES(sea)
