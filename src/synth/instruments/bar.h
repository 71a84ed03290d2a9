// Bar: tuned wood or metal under a soft mallet. The modes that bend it, of which the second and third are tuned as a
// marimba maker does; those that twist it, weaker and shorter; and the knock of the mallet.
// Source: N. H. Fletcher and T. D. Rossing, The Physics of Musical Instruments, chapter 19; the weights are ours.
#pragma once
#include "synth/instruments/modal.h"

struct bar {
    struct lanes lanes;
    struct modal modal;
};

static const struct instrument_levels bar_levels = {.dry = 0.24f, .send = 0.21f};

// Bending, twisting, knock: over the lowest.
alignas(64) static const float bar_ratio[MODAL_PAIRS] = {
    1.0f, 3.93f, 9.5f, 16.7f, 25.9f, 37.1f, 50.3f, 65.5f, 2.63f, 5.31f, 8.07f, 10.9f, 13.8f, 19.7f, 28.2f, 33.1f,
    1.41f, 2.03f, 3.17f, 3.71f, 4.57f, 5.83f, 6.61f, 7.43f, 8.89f, 10.3f, 11.9f, 14.7f, 18.1f, 21.7f, 24.3f, 30.1f,
};
alignas(64) static const float bar_weight[MODAL_PAIRS] = {
    1.0f, 0.36f, 0.2f, 0.12f, 0.08f, 0.05f, 0.03f, 0.02f, 0.03f, 0.03f, 0.025f, 0.02f, 0.02f, 0.015f, 0.01f, 0.01f,
    0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.04f, 0.04f, 0.04f, 0.04f, 0.03f, 0.03f, 0.03f, 0.02f, 0.02f, 0.02f,
};
// Seconds for 60 dB at most.
alignas(64) static const float bar_decay[MODAL_PAIRS] = {
    5.0f, 5.0f, 5.0f, 5.0f, 5.0f, 5.0f, 5.0f, 5.0f, 0.6f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f,
    0.12f, 0.12f, 0.1f, 0.1f, 0.09f, 0.08f, 0.08f, 0.07f, 0.07f, 0.06f, 0.06f, 0.06f, 0.05f, 0.05f, 0.05f, 0.05f,
};

INLINE void bar_start(struct bar *b, int n)
{
    modal_start(&b->modal, n);
}

// Hertz by which the mallet halves a mode over the lowest.
INLINE float bar_softness_hz(const struct lane_notes *now, int n, float brightness)
{
    float bright = now->brightness[n] * 0.6f + brightness * 0.4f;
    return (400.0f + 3000.0f * bright) * (0.5f + now->velocity[n]);
}

// Seconds that the lowest mode takes for 60 dB: 3.6 at middle C.
INLINE vf bar_decay_s(float pitch)
{
    return vf_clamp(vf_set(3.6f * exp2_of((60.0f - pitch) * (1.0f / 20.0f))), 0.5f, 5.0f);
}

INLINE void bar_tune(struct bar *b, int n, float brightness)
{
    const struct lane_notes *now = &b->lanes.now;
    const uint32_t seed = note_seed(now->id[n]);
    vf lowest = pitch_hz(vf_set(now->pitch[n])), decay_s = bar_decay_s(now->pitch[n]);
    float softer = -1.0f / bar_softness_hz(now, n, brightness);
    for (int first = 0; first < MODAL_PAIRS; first += SYNTH_WIDTH) {
        vf ratio = vf_load(bar_ratio + first), hz = lowest * ratio, apart = 0.08f * ratio - 0.08f;
        vf decay = vf_max(decay_s * vf_exp2(vf_log2(ratio) * -0.7f), vf_set(0.5f));
        decay = vf_min(decay, vf_load(bar_decay + first));
        vf level = vf_load(bar_weight + first) * vf_exp2((hz - lowest) * softer) * 0.7f;
        for (int side = 0; side < MODAL_SIDES; side++)
            modal_tune(&b->modal.note[n], side, first, side ? hz + apart : hz - apart, decay,
                       level * (0.5f + modal_chance(seed, side, first)));
    }
}

INLINE void bar_lanes(struct bar *bar, int first, const struct lane_block *b, const struct mix *mix,
                      struct lane_bus *bus)
{
    for (int n = first; n < first + SYNTH_WIDTH; n++)
        if (modal_begins(b, n))
            bar_tune(bar, n, mix->brightness);
    modal_lanes(&bar->modal, &bar->lanes, first, b, bus);
}
