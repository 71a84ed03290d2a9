// Plucked string: what was plucked runs round a delay of one period, and each time loses a little, the highs most. The
// loss and the fraction of a frame that tunes it are one filter of eight taps without feedback of its own, so that a
// whole stretch of frames is computed at once. Few notes sound at once: vectors run over the frames of one string.
// Source: D. A. Jaffe and J. O. Smith, Extensions of the Karplus-Strong plucked-string algorithm, CMJ 7 (1983).
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/pan.h"

enum { PLUCK_TAPS = 8, PLUCK_FRACTION_TAPS = 6, PLUCK_STRETCH = 8, PLUCK_FRAMES = 1280 };

#define PLUCK_LOWEST_HZ 40.0f
#define PLUCK_HIGHEST_HZ 4000.0f

struct pluck {
    struct lanes lanes;
    uint32_t delay[LANES];  // whole frames from the first tap to what it gives
    float gain_left[LANES], gain_right[LANES];
    alignas(64) float tap[LANES][PLUCK_TAPS];
    alignas(64) float line[LANES][PLUCK_FRAMES];  // the past that is still needed, then room for a block
};

static const struct instrument_levels pluck_levels = {.dry = 0.18f, .send = 0.15f};

// What a string needs to know of its note when it begins.
struct pluck_string {
    float hz, period;
    float fundamental_loss, loss_bend;  // gain a round is a + b cos w
    float softness_hz, place;
    uint32_t seed;
};

INLINE void pluck_start(struct pluck *p, int n)
{
    p->delay[n] = 0;
    p->gain_left[n] = p->gain_right[n] = 0;
}

INLINE float pluck_cosine(float hz)
{
    return vf_first(vf_sin_phase(phase_increment(vf_set(hz)) + 0x40000000));
}

// Gain a round for a loss of 60 dB in so many seconds.
INLINE float pluck_round_gain(const struct pluck_string *s, float decay_s)
{
    return exp2_of(-9.9657843f * s->period / FRAME_RATE / decay_s);
}

// Seconds that the fundamental takes for 60 dB: 8 for the low strings, 4.5 at middle C.
INLINE float pluck_decay_s(float pitch)
{
    return 8.0f * exp2_of(-(pitch > 40.0f ? pitch - 40.0f : 0.0f) * (1.0f / 24.0f));
}

// The loss is right at the fundamental and, as bright as the note is, at 4 kHz; where these two would have a constant
// grow, the highs are lost less fast.
INLINE void pluck_losses(struct pluck_string *s, float pitch, float bright)
{
    float decay_s = pluck_decay_s(pitch), high_s = decay_s * exp2_of(2.2f * bright - 3.2f);
    float low = pluck_cosine(s->hz), high = pluck_cosine(4000.0f + 2.0f * s->hz);
    float at_low = pluck_round_gain(s, decay_s);
    float bend = (at_low - pluck_round_gain(s, high_s)) / (low - high);
    float most = (1.0f - at_low) / (1.0f - low) * 0.9f;
    bend = bend < most ? bend : most;
    s->loss_bend = bend < 0.5f * at_low ? bend : 0.5f * at_low;
    s->fundamental_loss = at_low - s->loss_bend * low;
}

INLINE struct pluck_string pluck_string(const struct lane_notes *now, int n, float brightness)
{
    float bright = now->brightness[n] * 0.6f + brightness * 0.4f;
    float hz = vf_first(vf_clamp(pitch_hz(vf_set(now->pitch[n])), PLUCK_LOWEST_HZ, PLUCK_HIGHEST_HZ));
    uint32_t seed = note_seed(now->id[n]);
    struct pluck_string s = {.hz = hz, .period = FRAME_RATE / hz, .seed = seed};
    s.softness_hz = (500.0f + 3200.0f * bright) * (0.5f + now->velocity[n]);
    s.place = 0.17f + (float)(seed >> 24) * (0.12f / 256.0f);
    pluck_losses(&s, now->pitch[n], bright);
    return s;
}

// Lagrange's interpolation by 2 .. 3 frames, between the middle two of its taps.
INLINE void pluck_fraction(float delay, float fraction[PLUCK_FRACTION_TAPS])
{
    static const float below[PLUCK_FRACTION_TAPS] = {-120, 24, -12, 12, -24, 120};
    for (int k = 0; k < PLUCK_FRACTION_TAPS; k++) {
        float above = 1;
        for (int j = 0; j < PLUCK_FRACTION_TAPS; j++)
            above *= j == k ? 1.0f : delay - (float)j;
        fraction[k] = above / below[k];
    }
}

// Both filters as one. The loss, a + b cos w, is taps of b/2, a, b/2 and takes a frame.
INLINE void pluck_filter(struct pluck *p, int n, const struct pluck_string *s)
{
    float fraction[PLUCK_FRACTION_TAPS], *tap = p->tap[n];
    uint32_t delay = (uint32_t)(s->period - 3.0f);
    pluck_fraction(s->period - 1.0f - (float)delay, fraction);
    p->delay[n] = delay;
    memset(tap, 0, sizeof p->tap[n]);
    for (int k = 0; k < PLUCK_FRACTION_TAPS; k++) {
        tap[k] += fraction[k] * (s->loss_bend * 0.5f);
        tap[k + 1] += fraction[k] * s->fundamental_loss;
        tap[k + 2] += fraction[k] * (s->loss_bend * 0.5f);
    }
}

// Frames of the past that the next one needs.
INLINE int pluck_past(const struct pluck *p, int n)
{
    return (int)p->delay[n] + PLUCK_TAPS - 1;
}

INLINE void pluck_add_harmonic(float *line, int frames, uint32_t increment, uint32_t phase, float level)
{
    alignas(64) uint32_t number[SYNTH_WIDTH];
    for (int k = 0; k < SYNTH_WIDTH; k++)
        number[k] = phase + (uint32_t)k * increment;
    vu at = vu_load(number);
    for (int i = 0; i < frames; i += SYNTH_WIDTH, at += increment * SYNTH_WIDTH)
        vf_store(line + i, vf_load(line + i) + vf_sin_phase(at) * level);
}

// Fills the string with what a pluck at its place leaves: harmonics, softer above, none that has a node there. No noise
// is in it, and nothing to fold back.
INLINE void pluck_excite(struct pluck *p, int n, const struct pluck_string *s)
{
    const int frames = (pluck_past(p, n) + PLUCK_STRETCH - 1) / PLUCK_STRETCH * PLUCK_STRETCH;
    const uint32_t increment = (uint32_t)(s->hz * (0x1p32f / FRAME_RATE));
    uint32_t chance = s->seed;
    memset(p->line[n], 0, sizeof p->line[n]);
    for (uint32_t h = 1; h <= 64 && (float)h * s->hz < 14000.0f; h++) {
        float node = vf_first(vf_sin_phase(vu_set(h * (uint32_t)(s->place * 0x1p31f))));
        float level = node / (float)h * exp2_of((1.0f - (float)h) * s->hz / s->softness_hz);
        chance = chance * 1664525u + 1013904223u;
        pluck_add_harmonic(p->line[n], frames, h * increment, 0x40000000 + (chance >> 3), level);
    }
}

INLINE void pluck_begin(struct pluck *p, int n, float brightness)
{
    struct pluck_string s = pluck_string(&p->lanes.now, n, brightness);
    pluck_filter(p, n, &s);
    pluck_excite(p, n, &s);
}

// A stretch no longer than the delay: what it reads is made.
INLINE void pluck_run(const float *restrict in, const float *restrict tap, float *restrict out, int frames)
{
    for (int i = 0; i < frames; i++) {
        float low = (in[i] * tap[7] + in[i + 7] * tap[0]) + (in[i + 1] * tap[6] + in[i + 6] * tap[1]);
        float high = (in[i + 2] * tap[5] + in[i + 5] * tap[2]) + (in[i + 3] * tap[4] + in[i + 4] * tap[3]);
        out[i] = low + high;
    }
}

INLINE void pluck_frames(struct pluck *p, int n)
{
    float *line = p->line[n], *out = line + pluck_past(p, n);
    if (p->delay[n] >= CONTROL_FRAMES) {
        pluck_run(line, p->tap[n], out, CONTROL_FRAMES);
        return;
    }
    for (int i = 0; i < CONTROL_FRAMES; i += PLUCK_STRETCH)
        pluck_run(line + i, p->tap[n], out + i, PLUCK_STRETCH);
}

// Heard at two places of the string a little apart, one to a side.
INLINE void pluck_place(struct pluck *p, int n, float left_to, float right_to, struct lane_bus *bus)
{
    const float share = 1.0f / CONTROL_FRAMES, *out = p->line[n] + pluck_past(p, n);
    float left = p->gain_left[n], right = p->gain_right[n];
    float left_step = (left_to - left) * share, right_step = (right_to - right) * share;
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        left += left_step;
        right += right_step;
        bus->left[i][n % BUS_COLUMNS] += (out[i] + out[i - 4] * 0.7f) * left;
        bus->right[i][n % BUS_COLUMNS] += (out[i] + out[i - 13] * 0.7f) * right;
    }
    p->gain_left[n] = left;
    p->gain_right[n] = right;
}

INLINE void pluck_wipe(struct pluck *p, int n)
{
    pluck_start(p, n);
    memset(p->tap[n], 0, sizeof p->tap[n]);
    memset(p->line[n], 0, sizeof p->line[n]);
}

INLINE void pluck_sound(struct pluck *p, int n, float left, float right, struct lane_bus *bus)
{
    pluck_frames(p, n);
    pluck_place(p, n, left, right, bus);
    memmove(p->line[n], p->line[n] + CONTROL_FRAMES, (size_t)pluck_past(p, n) * sizeof *p->line[n]);
}

INLINE void pluck_lanes(struct pluck *p, int first, const struct lane_block *b, const struct mix *mix,
                        struct lane_bus *bus)
{
    alignas(64) float left[SYNTH_WIDTH], right[SYNTH_WIDTH];
    struct pan_gains pan = pan_gains(vf_load(p->lanes.now.pan + first) * 0.8f);
    vf_store(left, vf_load(b->loudness + first) * pan.left);
    vf_store(right, vf_load(b->loudness + first) * pan.right);
    for (int n = 0; n < SYNTH_WIDTH; n++) {
        if (b->started >> (first + n) & 1)
            pluck_begin(p, first + n, mix->brightness);
        if (b->sounding >> (first + n) & 1)
            pluck_sound(p, first + n, left[n], right[n], bus);
        if (!b->lives[first + n])
            pluck_wipe(p, first + n);
    }
}
