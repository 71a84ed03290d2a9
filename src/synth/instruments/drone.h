// Drone: a low note to be held for minutes. Triangles of the fundamental and its octave, sines of the fifth above that.
// Octave and fifth are pairs, some hundredths of a hertz apart, one to a side, so that they beat over half a minute;
// each level comes and goes by a slow wave of its own. Then warmth, and a filter for each side. No more than a drone or
// two sound at once: vectors run over the frames of one note.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/ramp.h"
#include "synth/dsp/slow_wave.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/one_by_one.h"
#include "synth/instruments/sides.h"

enum { DRONE_ROOT, DRONE_OCTAVE_A, DRONE_OCTAVE_B, DRONE_FIFTH_A, DRONE_FIFTH_B, DRONE_TONES };
enum { DRONE_LEVEL_ROOT, DRONE_LEVEL_OCTAVE, DRONE_LEVEL_FIFTH, DRONE_LEVELS };

struct drone {
    struct lanes lanes;
    float level[DRONE_LEVELS][LANES];    // reached
    struct sides sides;
};

static const struct instrument_levels drone_levels = {.dry = 0.17f, .send = 0.06f};

// What a note does during one block: levels, filter and gains are those at its end.
struct drone_control {
    uint32_t phase[DRONE_TONES], increment[DRONE_TONES];    // phase: at its beginning
    float level[DRONE_LEVELS];
    struct sides_wish sides;
};

INLINE void drone_start(struct drone *d, int n)
{
    sides_start(&d->sides, n);
}

INLINE void drone_pitch(float pitch, uint32_t seed, uint32_t increment[DRONE_TONES])
{
    vf hz = pitch_hz(vf_set(pitch));
    float apart = 0.012f + (float)(seed >> 8) * (0.012f / 0x1p24f);
    increment[DRONE_ROOT] = vu_first(phase_increment(hz));
    increment[DRONE_OCTAVE_A] = vu_first(phase_increment(hz * 2.0f + apart));
    increment[DRONE_OCTAVE_B] = vu_first(phase_increment(hz * 2.0f - apart));
    increment[DRONE_FIFTH_A] = vu_first(phase_increment(hz * 3.0f + apart * 1.4f));
    increment[DRONE_FIFTH_B] = vu_first(phase_increment(hz * 3.0f - apart * 1.4f));
}

// Both of a pair begin in step.   age: blocks.
INLINE void drone_phases(uint32_t seed, uint32_t age, struct drone_control *c)
{
    const uint32_t octave = seed * 0x9e3779b1u, fifth = seed * 0x85ebca6bu;
    const uint32_t initial[DRONE_TONES] = {0, octave, octave, fifth, fifth};
    for (int i = 0; i < DRONE_TONES; i++)
        c->phase[i] = initial[i] + c->increment[i] * (age * CONTROL_FRAMES);
}

INLINE float drone_wave(uint32_t seed, const struct lane_block *b, uint32_t turns)
{
    return vf_first(slow_wave(vu_set(seed), (uint32_t)b->number, turns));
}

INLINE void drone_move(uint32_t seed, const struct lane_block *b, float motion, float level[DRONE_LEVELS])
{
    float swing = 0.12f + 0.2f * motion;
    level[DRONE_LEVEL_ROOT] = 0.75f + drone_wave(seed, b, SLOW_WAVE_HZ(0.013)) * (swing * 0.5f);
    level[DRONE_LEVEL_OCTAVE] = 0.34f + drone_wave(seed * 3u, b, SLOW_WAVE_HZ(0.019)) * (swing * 0.6f);
    level[DRONE_LEVEL_FIFTH] = 0.2f + drone_wave(seed * 5u, b, SLOW_WAVE_HZ(0.027)) * (swing * 0.5f);
}

INLINE struct drone_control drone_control(const struct drone *d, int n, const struct lane_block *b,
                                          const struct mix *mix)
{
    const struct lane_notes *now = &d->lanes.now;
    uint32_t seed = note_seed(now->id[n]);
    float bright = now->brightness[n] * 0.5f + mix->brightness * 0.5f;
    float wave = drone_wave(seed * 7u, b, SLOW_WAVE_HZ(0.023));
    float octaves = 8.0f + bright * 2.8f + wave * (0.2f + 0.6f * mix->motion);
    struct drone_control c;
    drone_pitch(now->pitch[n], seed, c.increment);
    drone_phases(seed, b->age[n], &c);
    drone_move(seed, b, mix->motion, c.level);
    c.sides = sides_wish(svf_design(vf_exp2(vf_set(octaves)), vf_set(1.4f)), b->loudness[n],
                         pan_gains(vf_set(now->pan[n] * 0.2f)));
    return c;
}

// Levels and filter of a note that begins are at once as they shall be.
INLINE void drone_begin(struct drone *d, int n, const struct drone_control *c)
{
    for (int i = 0; i < DRONE_LEVELS; i++)
        d->level[i][n] = c->level[i];
    sides_begin(&d->sides, n, &c->sides);
}

INLINE vf drone_triangle(vu phase)
{
    return vf_abs(vf_from(phase + 0x40000000)) * 0x1p-30f - 1.0f;
}

INLINE vu drone_phase(const struct drone_control *c, int tone, vu number)
{
    return c->phase[tone] + number * c->increment[tone];
}

// Frames from `first` on of both sides, before the filters.
INLINE void drone_warm(const struct drone *d, int n, const struct drone_control *c, int first,
                       struct stereo_block *out)
{
    vu number = vu_count((uint32_t)first);
    vf frame = vf_from(number) + 1.0f, level[DRONE_LEVELS];
    for (int i = 0; i < DRONE_LEVELS; i++)
        level[i] = ramp_at(ramp_to(d->level[i][n], c->level[i]), frame);
    vf middle = drone_triangle(drone_phase(c, DRONE_ROOT, number)) * level[DRONE_LEVEL_ROOT];
    vf one = drone_triangle(drone_phase(c, DRONE_OCTAVE_A, number)) * level[DRONE_LEVEL_OCTAVE]
        + vf_sin_phase(drone_phase(c, DRONE_FIFTH_A, number)) * level[DRONE_LEVEL_FIFTH];
    vf other = drone_triangle(drone_phase(c, DRONE_OCTAVE_B, number)) * level[DRONE_LEVEL_OCTAVE]
        + vf_sin_phase(drone_phase(c, DRONE_FIFTH_B, number)) * level[DRONE_LEVEL_FIFTH];
    vf_store(out->left + first, vf_tanh((middle + one + other * 0.5f) * 1.3f));
    vf_store(out->right + first, vf_tanh((middle + other + one * 0.5f) * 1.3f));
}

INLINE void drone_sound(struct drone *d, int n, const struct drone_control *c, struct stereo_block *out)
{
    for (int first = 0; first < CONTROL_FRAMES; first += SYNTH_WIDTH)
        drone_warm(d, n, c, first, out);
    sides_low(&d->sides, n, &c->sides, out->left, out->right);
    for (int i = 0; i < DRONE_LEVELS; i++)
        d->level[i][n] = c->level[i];
}

INLINE void drone_wipe(struct drone *d, int n)
{
    for (int i = 0; i < DRONE_LEVELS; i++)
        d->level[i][n] = 0;
    sides_wipe(&d->sides, n);
}

INLINE void drone_note(struct drone *d, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct drone_control c = drone_control(d, n, b, mix);
    struct stereo_block out;
    if (b->started >> n & 1)
        drone_begin(d, n, &c);
    drone_sound(d, n, &c, &out);
    lane_bus_add_note(bus, n, &out);
    if (!b->lives[n])
        drone_wipe(d, n);
}

LANES_ONE_BY_ONE(drone)
