// Choir: two voices, one to a side, who sing a vowel that moves between "oo" and "ah". Each is a saw, whose vibrato
// comes in late, through four formants. Pitch and vowel drift by slow waves.
// Source: the formants of an alto in Csound's manual, appendix D, with the wider bands of many who sing as one.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/dsp/slow_wave.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/sides.h"

enum { CHOIR_FORMANTS = 4, CHOIR_PARTIALS = 6 };
#define CHOIR_STRAY 0.1f     // semitones, from the flattest to the sharpest
#define CHOIR_FLOOR 0.01f    // of the power of partials: what is softer than this stays softer

struct choir {
    struct lanes lanes;
    uint32_t seed[LANES];
    uint32_t sway_a[LANES], sway_b[LANES];    // reached: how far each voice is ahead
    struct sides formant[CHOIR_FORMANTS];
};

static const struct instrument_levels choir_levels = {.dry = 0.136f, .send = 0.09f};

// A formant at both ends of the way, in octaves above 1 Hz and octaves of loudness; its band, in hertz.
static const struct {
    float oo, ah, oo_level, ah_level, band_hz;
} choir_vowels[CHOIR_FORMANTS] = {
    {8.48f, 9.55f, 0.0f, 0.0f, 110.0f},
    {9.45f, 10.17f, -2.3f, -0.7f, 130.0f},
    {11.31f, 11.43f, -4.6f, -2.6f, 200.0f},
    {11.77f, 11.82f, -5.6f, -3.6f, 300.0f},
};

// One of two to a note, during a block.
struct choir_voice {
    vu phase, increment;
    vu sway;                                  // how far it is ahead at the end
};

struct choir_control {
    struct choir_voice a, b;
    struct saw_shape shape;
    vf apart;  // 1: each side has a voice of its own in front; 0: both have the same
    struct sides_control formant[CHOIR_FORMANTS];
};

INLINE void choir_start(struct choir *c, int n)
{
    c->seed[n] = note_seed(c->lanes.now.id[n]);
    c->sway_a[n] = c->sway_b[n] = 0;
    for (int f = 0; f < CHOIR_FORMANTS; f++)
        sides_start(&c->formant[f], n);
}

// Vibrato and drift of one voice at the beginning of a block. The vibrato is there after some three seconds.
INLINE vu choir_sway(vu seed, vu age, uint32_t block, float motion, vf hz)
{
    vf seconds = vf_from(age) * ((float)CONTROL_FRAMES / FRAME_RATE);
    vf depth = vf_clamp((seconds - 0.6f) * 0.4f, 0.0f, 1.0f) * (0.05f + 0.06f * motion);
    vf swell = 0.75f + slow_wave(seed * 3u, block, SLOW_WAVE_HZ(0.13)) * 0.25f;
    vf drift = slow_wave(seed, block, SLOW_WAVE_HZ(0.083)) * (0.03f / 0.083f)
        + slow_wave(seed * 5u, block, SLOW_WAVE_HZ(0.31)) * (0.015f / 0.31f);
    return phase_swayed(hz, slow_wave(seed * 7u, block, SLOW_WAVE_HZ(4.1)) * depth * swell * (1.0f / 4.1f) + drift);
}

// One voice of each note.   reached: its sway at the end of the block before.
INLINE struct choir_voice choir_voice(vu seed, vf pitch, vu reached, const struct lane_block *b, int first,
                                      float motion)
{
    vf hz = pitch_hz(pitch);
    vu age = vu_load(b->age + first), increment = phase_increment(hz);
    vu sway = choir_sway(seed, age + 1, (uint32_t)b->number + 1, motion, hz);
    if (b->started)
        reached = vu_select(lanes_started(b, first), choir_sway(seed, age, (uint32_t)b->number, motion, hz), reached);
    return (struct choir_voice){phase_at(seed * 0x9e3779b1u, increment, age) + reached,
                                increment + phase_step(reached, sway), sway};
}

INLINE void choir_pitch(const struct choir *c, int first, const struct lane_block *b, float motion,
                        struct choir_control *k)
{
    vu seed = vu_load(c->seed + first);
    // No choir is in tune to the cent: partials that two notes share would beat so slowly that the chord swells.
    vf own = vf_from((seed * 0x2545f491u) >> 8) * 0x1p-24f - 0.5f;
    vf pitch = vf_load(c->lanes.now.pitch + first) + own * CHOIR_STRAY;
    // Eight cents apart, and what is heard in front and behind is in tune together.
    k->apart = 1.0f - vf_clamp((64.0f - pitch) * 0.05f, 0.0f, 1.0f);
    vf middle = pitch + k->apart * 0.02f;
    k->a = choir_voice(seed, middle + 0.02f, vu_load(c->sway_a + first), b, first, motion);
    k->b = choir_voice(seed * 0x9e3779b1u, middle - 0.06f, vu_load(c->sway_b + first), b, first, motion);
    k->shape = saw_shape(pitch_hz(pitch));
}

// 0 "oo" .. 1 "ah".
INLINE vf choir_vowel(const struct choir *c, int first, uint32_t block, const struct mix *mix)
{
    vf wave = slow_wave(vu_load(c->seed + first) * 11u, block, SLOW_WAVE_HZ(0.041));
    vf bright = vf_load(c->lanes.now.brightness + first) * 0.6f + mix->brightness * 0.4f;
    return vf_clamp(bright + wave * (0.15f + 0.35f * mix->motion), 0.0f, 1.0f);
}

// Sopranos have smaller heads, and whoever sings above the first formant moves it up to the note.
INLINE vf choir_formant_hz(int f, vf vowel, vf pitch)
{
    vf octaves = choir_vowels[f].oo + (choir_vowels[f].ah - choir_vowels[f].oo) * vowel;
    vf hz = vf_exp2(octaves + vf_clamp((pitch - 60.0f) * 0.012f, -0.12f, 0.2f));
    return f ? hz : vf_max(hz, pitch_hz(pitch) * 1.06f);
}

// Formants of some lanes, before they become filters.
struct choir_tract {
    vf hz[CHOIR_FORMANTS], damping[CHOIR_FORMANTS], level[CHOIR_FORMANTS];
};

INLINE struct choir_tract choir_tract(vf vowel, vf pitch)
{
    struct choir_tract t;
    for (int f = 0; f < CHOIR_FORMANTS; f++) {
        t.hz[f] = choir_formant_hz(f, vowel, pitch);
        t.damping[f] = choir_vowels[f].band_hz / t.hz[f];
        t.level[f] = vf_exp2(choir_vowels[f].oo_level + (choir_vowels[f].ah_level - choir_vowels[f].oo_level) * vowel);
    }
    return t;
}

// What makes a note as loud as any other, wherever its first partials lie between the formants: who sings holds the
// loudness while the vowel moves.
INLINE vf choir_even(const struct choir_tract *t, vf pitch)
{
    vf fundamental = pitch_hz(pitch), power = {0};
    for (int n = 1; n <= CHOIR_PARTIALS; n++) {
        vf hz = fundamental * (float)n;
        for (int f = 0; f < CHOIR_FORMANTS - 1; f++) {
            vf ratio = hz / t->hz[f], off = (ratio - 1.0f / ratio) / t->damping[f];
            vf amplitude = t->level[f] * (1.0f / (float)n);
            power += amplitude * amplitude / (1.0f + off * off);
        }
    }
    return vf_exp2(vf_log2(power + CHOIR_FLOOR) * -0.5f);
}

INLINE void choir_formants(const struct choir *c, int first, const struct lane_block *b, const struct mix *mix,
                           struct choir_control *k)
{
    vf pitch = vf_load(c->lanes.now.pitch + first), vowel = choir_vowel(c, first, b->number, mix);
    struct pan_gains pan = pan_gains(vf_load(c->lanes.now.pan + first) * 0.7f);
    struct choir_tract t = choir_tract(vowel, pitch);
    vf loudness = choir_even(&t, pitch) * vf_load(b->loudness + first);
    for (int f = 0; f < CHOIR_FORMANTS; f++) {
        // Signs alternate, or neighbours would cancel each other between them.
        vf gain = t.level[f] * t.damping[f] * loudness * (f % 2 ? -1.0f : 1.0f);
        k->formant[f] = sides_load(&c->formant[f], first, lanes_started(b, first), svf_design(t.hz[f], t.damping[f]),
                                   gain, pan);
    }
}

// What the voices sing before it goes through the formants.
INLINE void choir_sing(const struct choir_control *k, struct sides_block *out)
{
    vu a = k->a.phase, b = k->b.phase;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        a += k->a.increment;
        b += k->b.increment;
        vf saw_a = saw_at(a, &k->shape), saw_b = saw_at(b, &k->shape);
        // The voice behind is softer, or the two would come and go together as they beat.
        out->left[i] = saw_a + saw_b * 0.35f;
        out->right[i] = out->left[i] + (saw_b - saw_a) * (k->apart * 0.65f);
    }
}

// Adds what a formant leaves of it.
INLINE void choir_resonate(struct sides_control *control, const struct sides_block *sung, struct sides_block *sum)
{
    struct sides_control s = *control;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        sides_advance(&s);
        sum->left[i] += svf_tick(&s.left_memory, &s.reached, sung->left[i]).band * s.left;
        sum->right[i] += svf_tick(&s.right_memory, &s.reached, sung->right[i]).band * s.right;
    }
    *control = s;
}

INLINE void choir_frames(int first, struct choir_control *k, struct lane_bus *bus)
{
    struct sides_block sung, sum;
    choir_sing(k, &sung);
    memset(&sum, 0, sizeof sum);
    for (int f = 0; f < CHOIR_FORMANTS; f++)
        choir_resonate(&k->formant[f], &sung, &sum);
    for (int i = 0; i < CONTROL_FRAMES; i++)
        lane_bus_add(bus, i, first, sum.left[i], sum.right[i]);
}

INLINE void choir_keep(struct choir *c, int first, const struct choir_control *k, vu lives)
{
    vu_store(c->seed + first, vu_load(c->seed + first) & lives);
    vu_store(c->sway_a + first, k->a.sway & lives);
    vu_store(c->sway_b + first, k->b.sway & lives);
    for (int f = 0; f < CHOIR_FORMANTS; f++)
        sides_keep(&c->formant[f], first, &k->formant[f], lives);
}

INLINE void choir_lanes(struct choir *c, int first, const struct lane_block *b, const struct mix *mix,
                        struct lane_bus *bus)
{
    vu lives = vu_load(b->lives + first);
    struct choir_control k;
    choir_pitch(c, first, b, mix->motion, &k);
    choir_formants(c, first, b, mix, &k);
    choir_frames(first, &k, bus);
    choir_keep(c, first, &k, lives);
}
