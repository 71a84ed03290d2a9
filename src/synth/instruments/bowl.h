// Singing bowl: the modes of a thick shell of bronze, each in two that beat slowly. Struck when its attack is short; a
// long attack rubs it, which leaves the high modes out.
// Source: N. H. Fletcher and T. D. Rossing, The Physics of Musical Instruments, chapter 21; the weights are ours.
#pragma once
#include "synth/instruments/modal.h"

struct bowl {
    struct lanes lanes;
    struct modal modal;
};

static const struct instrument_levels bowl_levels = {.dry = 0.21f, .send = 0.18f};

// Modes over the lowest: those of the rim, and between them those that have a ring at rest as well, which are weaker.
alignas(64) static const float bowl_ratio[MODAL_PAIRS] = {
    1.0f, 2.71f, 4.1f, 5.05f, 6.3f, 7.92f, 8.6f, 10.1f, 11.24f, 13.2f, 14.98f, 16.8f, 17.9f, 19.1f, 21.2f, 23.6f,
    25.9f, 28.5f, 30.8f, 33.7f, 36.4f, 39.3f, 42.1f, 45.2f, 48.1f, 51.4f, 54.6f, 57.9f, 61.0f, 64.7f, 68.0f, 71.8f,
};
alignas(64) static const float bowl_weight[MODAL_PAIRS] = {
    1.0f, 0.8f, 0.05f, 0.6f, 0.08f, 0.42f, 0.06f, 0.07f, 0.32f, 0.06f, 0.25f, 0.05f, 0.04f, 0.2f, 0.04f, 0.16f,
    0.03f, 0.13f, 0.03f, 0.1f, 0.02f, 0.08f, 0.02f, 0.07f, 0.02f, 0.06f, 0.01f, 0.05f, 0.01f, 0.04f, 0.01f, 0.03f,
};

INLINE void bowl_start(struct bowl *b, int n)
{
    modal_start(&b->modal, n);
}

// Hertz by which what strikes it halves a mode over the lowest: hard and fast is bright.
INLINE float bowl_softness_hz(const struct lane_notes *now, int n, float brightness)
{
    float bright = now->brightness[n] * 0.6f + brightness * 0.4f;
    return (350.0f + 2200.0f * bright) * (0.5f + now->velocity[n]) / (1.0f + 2.0f * now->attack_s[n]);
}

// Seconds that the lowest mode takes for 60 dB: 22 at middle C.
INLINE float bowl_decay_s(float pitch)
{
    float decay = 22.0f * exp2_of((60.0f - pitch) * (1.0f / 36.0f));
    return decay < 25.0f ? decay : 25.0f;
}

INLINE void bowl_tune(struct bowl *b, int n, float brightness)
{
    const struct lane_notes *now = &b->lanes.now;
    const uint32_t seed = note_seed(now->id[n]);
    vf lowest = pitch_hz(vf_set(now->pitch[n]));
    float softer = -1.0f / bowl_softness_hz(now, n, brightness), decay_s = bowl_decay_s(now->pitch[n]);
    for (int first = 0; first < MODAL_PAIRS; first += SYNTH_WIDTH) {
        vf ratio = vf_load(bowl_ratio + first), hz = lowest * ratio;
        vf apart = vf_clamp((0.35f + 0.12f * ratio) * (0.8f + 0.5f * modal_chance(seed, 0, first)), 0.3f, 2.0f);
        vf decay = vf_clamp(decay_s * vf_exp2(vf_log2(ratio) * -0.45f), 6.0f, 25.0f);
        vf level = vf_load(bowl_weight + first) * vf_exp2((hz - lowest) * softer) * 0.6f;
        // The quieter of two never silences the louder; between them lies the pitch, nearer to the louder.
        vf quieter = 0.6f + 0.25f * modal_chance(seed, 1, first), below = quieter * quieter;
        below = apart * below / (1.0f + below);
        modal_tune(&b->modal.note[n], 0, first, hz - below, decay, level);
        modal_tune(&b->modal.note[n], 1, first, hz - below + apart, decay, level * quieter);
    }
}

INLINE void bowl_lanes(struct bowl *bowl, int first, const struct lane_block *b, const struct mix *mix,
                       struct lane_bus *bus)
{
    for (int n = first; n < first + SYNTH_WIDTH; n++)
        if (modal_begins(b, n))
            bowl_tune(bowl, n, mix->brightness);
    modal_lanes(&bowl->modal, &bowl->lanes, first, b, bus);
}
