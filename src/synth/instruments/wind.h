// Wind: bands that howl a little, each moved by gusts of its own within the gusts of all.
#pragma once
#include "synth/instruments/weather.h"

struct wind {
    struct lanes lanes;
    struct weather weather;
};

static const struct instrument_levels wind_levels = {.dry = 0.56f, .send = 0.33f};

INLINE void wind_start(struct wind *w, int n)
{
    weather_start(&w->weather, n, note_seed(w->lanes.now.id[n]), 1);
}

INLINE struct weather_wish wind_wish(const struct lanes *l, int n, uint32_t seed, float bright, uint32_t block,
                                     int first)
{
    vf band = vf_from(weather_band(first));
    vu own = weather_seeds(seed, first, 1), common = weather_seeds(seed ^ 0x51ed270b, first, 0);
    vf gust = weather_curve(vu_set(seed * 3u), block, 6200), slow = weather_curve(own, block, 2700);
    vf howl = weather_curve(common, block, 4100);
    vf strength = (0.15f + gust * 0.85f) * (0.25f + slow * 0.75f);
    return (struct weather_wish){
        .octaves = 6.9f + (l->now.pitch[n] - 60.0f) * (0.5f / 12.0f) + band * 0.58f + (howl + gust - 1.0f) * 0.45f,
        .damping = 0.28f + band * 0.05f,
        .gain = strength * vf_exp2(band * (-0.5f + 0.4f * bright)),
    };
}

WEATHER_LANES(wind)
