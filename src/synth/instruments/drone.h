// Drone: a low note to be held for minutes. Triangles of the fundamental and its octave, sines of the fifth above that.
// Octave and fifth are pairs, some hundredths of a hertz apart, one to a side, so that they beat over half a minute;
// each level comes and goes by a slow wave of its own. Then warmth, and a filter for each side.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/slow_wave.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/sides.h"

struct drone {
    struct lanes lanes;
    uint32_t seed[LANES];
    uint32_t phase_root[LANES];
    uint32_t phase_octave_a[LANES], phase_octave_b[LANES], phase_fifth_a[LANES], phase_fifth_b[LANES];
    float root[LANES], octave[LANES], fifth[LANES];  // levels reached
    struct sides sides;
};

static const struct instrument_levels drone_levels = {.dry = 0.17f, .send = 0.06f};

// A level that moves during a block.
struct drone_level {
    vf reached, step;
};

struct drone_control {
    vu root_increment, octave_a_increment, octave_b_increment, fifth_a_increment, fifth_b_increment;
    struct drone_level root, octave, fifth;
    struct sides_control sides;
};

INLINE void drone_start(struct drone *d, int n)
{
    uint32_t seed = note_seed(d->lanes.now.id[n]);
    d->seed[n] = seed;
    d->phase_root[n] = 0;
    d->phase_octave_a[n] = d->phase_octave_b[n] = seed * 0x9e3779b1u;
    d->phase_fifth_a[n] = d->phase_fifth_b[n] = seed * 0x85ebca6bu;
    d->root[n] = d->octave[n] = d->fifth[n] = 0;
    sides_start(&d->sides, n);
}

INLINE void drone_pitch(const struct drone *d, int first, struct drone_control *c)
{
    vf hz = pitch_hz(vf_load(d->lanes.now.pitch + first));
    vf apart = 0.012f + vf_from(vu_load(d->seed + first) >> 8) * (0.012f / 0x1p24f);
    c->root_increment = phase_increment(hz);
    c->octave_a_increment = phase_increment(hz * 2.0f + apart);
    c->octave_b_increment = phase_increment(hz * 2.0f - apart);
    c->fifth_a_increment = phase_increment(hz * 3.0f + apart * 1.4f);
    c->fifth_b_increment = phase_increment(hz * 3.0f - apart * 1.4f);
}

INLINE struct drone_level drone_level(const float *reached, vu started, vf to)
{
    vf from = vf_select(started, to, vf_load(reached));
    return (struct drone_level){from, (to - from) * (1.0f / CONTROL_FRAMES)};
}

INLINE void drone_levels_move(const struct drone *d, int first, const struct lane_block *b, float motion,
                              struct drone_control *c)
{
    vu seed = vu_load(d->seed + first), started = lanes_started(b, first);
    float swing = 0.12f + 0.2f * motion;
    c->root = drone_level(d->root + first, started,
                          0.75f + slow_wave(seed, b->number, SLOW_WAVE_HZ(0.013)) * (swing * 0.5f));
    c->octave = drone_level(d->octave + first, started,
                            0.34f + slow_wave(seed * 3u, b->number, SLOW_WAVE_HZ(0.019)) * (swing * 0.6f));
    c->fifth = drone_level(d->fifth + first, started,
                           0.2f + slow_wave(seed * 5u, b->number, SLOW_WAVE_HZ(0.027)) * (swing * 0.5f));
}

INLINE void drone_sides(const struct drone *d, int first, const struct lane_block *b, const struct mix *mix,
                        struct drone_control *c)
{
    vf wave = slow_wave(vu_load(d->seed + first) * 7u, b->number, SLOW_WAVE_HZ(0.023));
    vf bright = vf_load(d->lanes.now.brightness + first) * 0.5f + mix->brightness * 0.5f;
    vf octaves = 8.0f + bright * 2.8f + wave * (0.2f + 0.6f * mix->motion);
    c->sides = sides_load(&d->sides, first, lanes_started(b, first), svf_design(vf_exp2(octaves), vf_set(1.4f)),
                          vf_load(b->loudness + first), pan_gains(vf_load(d->lanes.now.pan + first) * 0.2f));
}

INLINE vf drone_triangle(vu phase)
{
    return vf_abs(vf_from(phase + 0x40000000)) * 0x1p-30f - 1.0f;
}

INLINE void drone_level_advance(struct drone_level *level)
{
    level->reached += level->step;
}

INLINE void drone_frames(struct drone *d, int first, struct drone_control *c, vu lives, struct lane_bus *bus)
{
    struct sides_control *s = &c->sides;
    vu root = vu_load(d->phase_root + first);
    vu octave_a = vu_load(d->phase_octave_a + first), octave_b = vu_load(d->phase_octave_b + first);
    vu fifth_a = vu_load(d->phase_fifth_a + first), fifth_b = vu_load(d->phase_fifth_b + first);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        drone_level_advance(&c->root);
        drone_level_advance(&c->octave);
        drone_level_advance(&c->fifth);
        sides_advance(s);
        vf middle = drone_triangle(root) * c->root.reached;
        vf one = drone_triangle(octave_a) * c->octave.reached + vf_sin_phase(fifth_a) * c->fifth.reached;
        vf other = drone_triangle(octave_b) * c->octave.reached + vf_sin_phase(fifth_b) * c->fifth.reached;
        vf left = vf_tanh((middle + one + other * 0.5f) * 1.3f), right = vf_tanh((middle + other + one * 0.5f) * 1.3f);
        vf to_left = svf_tick(&s->left_memory, &s->reached, left).low;
        vf to_right = svf_tick(&s->right_memory, &s->reached, right).low;
        lane_bus_add(bus, i, first, to_left * s->left, to_right * s->right);
        root += c->root_increment;
        octave_a += c->octave_a_increment;
        octave_b += c->octave_b_increment;
        fifth_a += c->fifth_a_increment;
        fifth_b += c->fifth_b_increment;
    }
    vu_store(d->phase_root + first, root & lives);
    vu_store(d->phase_octave_a + first, octave_a & lives);
    vu_store(d->phase_octave_b + first, octave_b & lives);
    vu_store(d->phase_fifth_a + first, fifth_a & lives);
    vu_store(d->phase_fifth_b + first, fifth_b & lives);
}

INLINE void drone_keep(struct drone *d, int first, const struct drone_control *c, vu lives)
{
    vu_store(d->seed + first, vu_load(d->seed + first) & lives);
    lane_keep(d->root + first, c->root.reached, lives);
    lane_keep(d->octave + first, c->octave.reached, lives);
    lane_keep(d->fifth + first, c->fifth.reached, lives);
    sides_keep(&d->sides, first, &c->sides, lives);
}

INLINE void drone_lanes(struct drone *d, int first, const struct lane_block *b, const struct mix *mix,
                        struct lane_bus *bus)
{
    vu lives = vu_load(b->lives + first);
    struct drone_control c;
    drone_pitch(d, first, &c);
    drone_levels_move(d, first, b, mix->motion, &c);
    drone_sides(d, first, b, mix, &c);
    drone_frames(d, first, &c, lives, bus);
    drone_keep(d, first, &c, lives);
}
