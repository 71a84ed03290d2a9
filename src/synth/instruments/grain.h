// Grain: a cloud of short soft tones around a note: sixteen streams of grains, one after the other. How long a grain
// is, its pitch and its place are hashed.
#pragma once
#include "synth/dsp/oscillator.h"
#include "synth/instruments/weather.h"

enum { GRAINS = 16 };

struct grain {
    struct lanes lanes;
    alignas(64) uint32_t phase[LANES][GRAINS];
    alignas(64) uint32_t seed[LANES][GRAINS];    // of the grain that sounds
    alignas(64) float at[LANES][GRAINS];         // how much of it has gone, 0 .. 1
    alignas(64) float gain_left[LANES][GRAINS], gain_right[LANES][GRAINS];
};

static const struct instrument_levels grain_levels = {.dry = 0.042f, .send = 0.084f};

// What some grains of a note do during one block.
struct grain_control {
    vu increment;
    vf left, right, left_step, right_step, overtone;
};

INLINE void grain_start(struct grain *g, int n)
{
    uint32_t seed = note_seed(g->lanes.now.id[n]);
    for (int i = 0; i < GRAINS; i++) {
        g->phase[n][i] = 0;
        g->seed[n][i] = (seed + (uint32_t)i) * 0x9e3779b1u;
        g->at[n][i] = (float)i / GRAINS;
        g->gain_left[n][i] = g->gain_right[n][i] = 0;
    }
}

// Semitones from the note: the note itself most of the time, its octaves, its fifth, all a little out of tune.
INLINE vf grain_interval(vf chance, vf detune)
{
    vf interval = vf_select(vf_less(chance, vf_set(0.4f)), (vf){0} + 12.0f, (vf){0} + 19.0f);
    interval = vf_select(vf_less(chance, vf_set(0.25f)), (vf){0} + 7.0f, interval);
    interval = vf_select(vf_less(chance, vf_set(0.12f)), (vf){0} - 12.0f, interval);
    interval = vf_select(vf_less(vf_set(0.6f), chance), (vf){0}, interval);
    return interval + (detune - 0.5f) * 0.16f;
}

// Goes on by a block, to the next grain where one has come to its end: it is silent there.
INLINE vf grain_advance(struct grain *g, int n, int first, vu lives)
{
    vu seed = vu_load(g->seed[n] + first);
    vf at = vf_load(g->at[n] + first) + 0.003f + 0.008f * weather_chance(seed);    // .12 to .44 s
    vu ends = vf_less(vf_set(1.0f), at);
    at = vf_select(ends, (vf){0}, at);
    vu_store(g->seed[n] + first, vu_select(ends, seed * 747796405u + 2891336453u, seed) & lives);
    lane_keep(g->at[n] + first, at, lives);
    return vf_smooth(vf_min(at, 1.0f - at) * 2.0f);
}

INLINE struct grain_control grain_move(struct grain *g, int n, int first, const struct lane_block *b, float bright,
                                       vu lives)
{
    const float share = 1.0f / CONTROL_FRAMES;
    vu seed = vu_load(g->seed[n] + first);
    vf loud = grain_advance(g, n, first, lives) * (0.3f + 0.7f * weather_chance(seed + 3u)) * b->loudness[n];
    struct pan_gains pan = pan_gains(weather_chance(seed + 4u) * 1.6f - 0.8f);
    vf pitch = g->lanes.now.pitch[n] + grain_interval(weather_chance(seed + 1u), weather_chance(seed + 2u));
    struct grain_control c = {
        .increment = phase_increment(pitch_hz(pitch)),
        .left = vf_load(g->gain_left[n] + first),
        .right = vf_load(g->gain_right[n] + first),
        .overtone = vf_set(0.05f + 0.25f * bright),
    };
    c.left_step = (loud * pan.left - c.left) * share;
    c.right_step = (loud * pan.right - c.right) * share;
    return c;
}

INLINE void grain_frames(struct grain *g, int n, int first, struct grain_control c, vu lives, struct lane_bus *bus)
{
    vu phase = vu_load(g->phase[n] + first);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        c.left += c.left_step;
        c.right += c.right_step;
        vf tone = vf_sin_phase(phase) + vf_sin_phase(phase << 1) * c.overtone;
        lane_bus_add(bus, i, first, tone * c.left, tone * c.right);
        phase += c.increment;
    }
    vu_store(g->phase[n] + first, phase & lives);
    lane_keep(g->gain_left[n] + first, c.left, lives);
    lane_keep(g->gain_right[n] + first, c.right, lives);
}

INLINE void grain_lanes(struct grain *g, int first, const struct lane_block *b, const struct mix *mix,
                        struct lane_bus *bus)
{
    for (int n = first; n < first + SYNTH_WIDTH; n++) {
        if (!(b->sounding >> n & 1))
            continue;
        float bright = g->lanes.now.brightness[n] * 0.6f + mix->brightness * 0.4f;
        vu lives = vu_set(b->lives[n]);
        for (int grain = 0; grain < GRAINS; grain += SYNTH_WIDTH)
            grain_frames(g, n, grain, grain_move(g, n, grain, b, bright, lives), lives, bus);
    }
}
