// Pad: two detuned saws and, for low notes, a sine an octave below; drive, and a filter for each side. Detuning, filter
// and place drift by slow waves that follow from the note and the absolute frame alone.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/slow_wave.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/sides.h"

#define PAD_DETUNE 0.045f    // semitones that a saw is above or below the note
#define PAD_SWAY_HZ 0.061

struct pad {
    struct lanes lanes;
    uint32_t seed[LANES];
    uint32_t sway[LANES];        // reached: how far one saw is ahead, and the other behind
    struct sides sides;
};

static const struct instrument_levels pad_levels = {.dry = 0.17f, .send = 0.095f};

// What a pad's lanes do during one block.
struct pad_control {
    vu phase_a, phase_b, phase_sub, increment_a, increment_b, increment_sub;
    vu sway;                     // at its end
    struct saw_shape shape;
    vf sub;
    struct sides_control sides;
};

INLINE void pad_start(struct pad *p, int n)
{
    p->seed[n] = note_seed(p->lanes.now.id[n]);
    p->sway[n] = 0;
    sides_start(&p->sides, n);
}

// At the beginning of a block.
INLINE vu pad_sway(const struct pad *p, int first, vf hz, uint64_t block, float motion)
{
    vf wave = slow_wave(vu_load(p->seed + first), (uint32_t)block, SLOW_WAVE_HZ(PAD_SWAY_HZ));
    return phase_swayed(hz, wave * ((0.012f + 0.018f * motion) / (float)PAD_SWAY_HZ));
}

INLINE void pad_pitch(const struct pad *p, int first, const struct lane_block *b, float motion, struct pad_control *c)
{
    vf pitch = vf_load(p->lanes.now.pitch + first), hz = pitch_hz(pitch);
    vu seed = vu_load(p->seed + first), age = vu_load(b->age + first);
    c->shape = saw_shape(hz);
    c->increment_a = phase_increment(pitch_hz(pitch + PAD_DETUNE));
    c->increment_b = phase_increment(pitch_hz(pitch - PAD_DETUNE));
    c->increment_sub = phase_increment(hz * 0.5f);
    c->sub = vf_clamp((57.0f - pitch) * (1.0f / 14.0f), 0.0f, 1.0f) * 0.5f;
    vu sway = vu_select(lanes_started(b, first), pad_sway(p, first, hz, b->number, motion), vu_load(p->sway + first));
    c->sway = pad_sway(p, first, hz, b->number + 1, motion);
    c->phase_a = phase_at(seed * 0x9e3779b1u, c->increment_a, age) + sway;
    c->phase_b = phase_at(seed * 0x85ebca6bu, c->increment_b, age) - sway;
    c->phase_sub = phase_at((vu){0}, c->increment_sub, age);
    vu step = phase_step(sway, c->sway);
    c->increment_a += step;
    c->increment_b -= step;
}

INLINE struct svf_coefficients pad_filter(const struct pad *p, int first, uint32_t block, const struct mix *mix)
{
    vf wave = slow_wave(vu_load(p->seed + first), block, SLOW_WAVE_HZ(0.037));
    vf bright = vf_load(p->lanes.now.brightness + first) * 0.5f + mix->brightness * 0.5f;
    vf octaves = 10.0f + bright * 3.5f + (vf_load(p->lanes.now.pitch + first) - 60.0f) * (0.5f / 12.0f)
        + vf_load(p->lanes.level + first) * 0.6f + wave * (0.9f * mix->motion);
    return svf_design(vf_exp2(octaves), vf_set(1.25f));
}

INLINE struct pan_gains pad_place(const struct pad *p, int first, uint32_t block, float motion)
{
    vf wave = slow_wave(vu_load(p->seed + first), block, SLOW_WAVE_HZ(0.047));
    return pan_gains(vf_load(p->lanes.now.pan + first) * 0.7f + wave * (0.25f * motion));
}

INLINE void pad_sides(const struct pad *p, int first, const struct lane_block *b, const struct mix *mix,
                      struct pad_control *c)
{
    c->sides = sides_load(&p->sides, first, lanes_started(b, first), pad_filter(p, first, b->number, mix),
                          vf_load(b->loudness + first), pad_place(p, first, b->number, mix->motion));
}

// What goes into the filters.
INLINE void pad_drive(const struct pad_control *c, struct sides_block *out)
{
    vu a = c->phase_a, b = c->phase_b, sub = c->phase_sub;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf saw_a = saw_at(a, &c->shape), saw_b = saw_at(b, &c->shape), low = vf_sin_phase(sub) * c->sub;
        out->left[i] = vf_tanh(saw_a * 0.6f + saw_b * 0.36f + low);
        out->right[i] = vf_tanh(saw_b * 0.6f + saw_a * 0.36f + low);
        a += c->increment_a;
        b += c->increment_b;
        sub += c->increment_sub;
    }
}

INLINE void pad_frames(struct pad *p, int first, const struct pad_control *c, vu lives, struct lane_bus *bus)
{
    struct sides_block driven;
    struct sides_control s = c->sides;
    pad_drive(c, &driven);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        sides_advance(&s);
        vf to_left = svf_tick(&s.left_memory, &s.reached, driven.left[i]).low;
        vf to_right = svf_tick(&s.right_memory, &s.reached, driven.right[i]).low;
        lane_bus_add(bus, i, first, to_left * s.left, to_right * s.right);
    }
    vu_store(p->seed + first, vu_load(p->seed + first) & lives);
    vu_store(p->sway + first, c->sway & lives);
    sides_keep(&p->sides, first, &s, lives);
}

INLINE void pad_lanes(struct pad *p, int first, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    struct pad_control c;
    pad_pitch(p, first, b, mix->motion, &c);
    pad_sides(p, first, b, mix, &c);
    pad_frames(p, first, &c, vu_load(b->lives + first), bus);
}
