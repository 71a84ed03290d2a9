// Vinyl: what a record gives beside its music. Surface hiss and the rumble of the turntable are bands of noise; crackle
// is pulses in that noise, two turns of a sine in a round window of half to one and a quarter milliseconds: nothing of
// them lies above 9 kHz.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/instruments/bands.h"
#include "synth/instruments/one_by_one.h"

struct vinyl {
    struct lanes lanes;
    struct bands surface[LANES];
};

static const struct instrument_levels vinyl_levels = {.dry = 0.54f, .send = 0.05f};

static const struct {
    alignas(32) float octave[BANDS];     // above 1 Hz
    float damping[BANDS], gain[BANDS];
    float bright[BANDS];                 // octaves of gain, from dark to bright
    float cross[BANDS];                  // share of the other side's noise
} vinyl_bands = {
    .octave = EACH_SIDE(5.1f, 6.7f, 10.6f, 12.3f),
    .damping = EACH_SIDE(0.9f, 1.2f, 1.8f, 1.7f),
    .gain = EACH_SIDE(0.55f, 0.22f, 0.1f, 0.12f),
    .bright = EACH_SIDE(0.0f, 0.0f, 1.2f, 2.4f),
    .cross = EACH_SIDE(1.0f, 1.0f, 0.3f, 0.2f),
};

INLINE void vinyl_start(struct vinyl *v, int n)
{
    v->surface[n] = (struct bands){.gain = {0}};
}

INLINE struct band_wish vinyl_wish(const struct lanes *l, int n, int first, const struct lane_block *b,
                                   const struct mix *mix)
{
    vu band = vu_count((uint32_t)first);
    float bright = l->now.brightness[n] * 0.7f + mix->brightness * 0.3f - 0.5f;
    vf drift = chance_curve(note_seed(l->now.id[n]) + (band & 3) * 0x27220a95u, vu_set(b->number * CHANCE_PACE(0.13)));
    vf gain = vf_load(vinyl_bands.gain + first) * vf_exp2(vf_load(vinyl_bands.bright + first) * bright + drift * 0.3f);
    return (struct band_wish){
        .hz = vf_exp2(vf_load(vinyl_bands.octave + first) + bands_colour(l->now.pitch[n]) * 0.5f),
        .damping = vf_load(vinyl_bands.damping + first),
        .gain = gain * b->loudness[n],
        .cross = vf_load(vinyl_bands.cross + first),
    };
}

// Adds a pulse that begins at frame `from` of the block, which may lie before it.
INLINE void vinyl_pulse(float *side, int from, int frames, float height)
{
    for (int i = 0; i < CONTROL_FRAMES; i += SYNTH_WIDTH) {
        vf place = vf_clamp(vf_from(vu_count((uint32_t)(i - from))) * (1.0f / (float)frames), 0.0f, 1.0f);
        vf half = vf_sin_turns(place * 0.4999f), turns = vf_sin_phase(vu_from(place * 0x1p30f) << 3);
        vf_store(side + i, vf_load(side + i) + half * half * turns * height);
    }
}

// The crackle that began in a block, if one did, as far as it falls into the block `ago` blocks later. Many are small;
// most lie towards one side.
INLINE void vinyl_crackle(uint32_t chance, float rate, int ago, float *left, float *right)
{
    if (chance_unit_of(chance) >= rate)
        return;
    uint32_t more = chance_of(chance);
    int from = (int)(more % CONTROL_FRAMES) - ago * CONTROL_FRAMES, frames = 22 + (int)(more >> 8) % 40;
    float weight = chance_unit_of(more << 4), place = chance_unit_of(chance << 12);
    float height = 3.0f + 8.0f * weight * weight * weight * weight;
    if (from + frames <= 0)
        return;
    vinyl_pulse(left, from, frames, height * (1.0f - place));
    vinyl_pulse(right, from, frames, height * place);
}

// How likely a crackle begins in a block: some a second, more of them now and then.
INLINE float vinyl_rate(const struct lanes *l, int n, uint32_t seed, uint32_t block)
{
    float dust = vf_first(chance_curve(vu_set(seed + 9), vu_set(block * CHANCE_PACE(0.4))));
    float a_second = (1.0f + 10.0f * l->now.brightness[n] * l->now.velocity[n]) * (1.1f + dust);
    return a_second * ((float)CONTROL_FRAMES / FRAME_RATE);
}

INLINE void vinyl_note(struct vinyl *v, int n, const struct lane_block *b, const struct mix *mix, struct lane_bus *bus)
{
    alignas(64) float left[CONTROL_FRAMES], right[CONTROL_FRAMES];
    struct bands_control surface;
    uint32_t seed = note_seed(v->lanes.now.id[n]);
    struct pan_gains pan = bands_place(v->lanes.now.pan[n]);
    for (int k = 0; k < BAND_VECTORS; k++)
        bands_load(&surface, k, &v->surface[n], vinyl_wish(&v->lanes, n, k * SYNTH_WIDTH, b, mix), pan);
    noise_fill(seed, b->number, left, right);
    for (uint32_t ago = 0; ago < 2; ago++) {
        uint32_t block = b->number - ago;
        vinyl_crackle(chance_of((seed ^ 0x85ebca6bu) + chance_of(block)), vinyl_rate(&v->lanes, n, seed, block),
                      (int)ago, left, right);
    }
    for (int i = 0; i < CONTROL_FRAMES; i++)
        for (int k = 0; k < BAND_VECTORS; k++)
            lane_bus_sides(bus, i, k * SYNTH_WIDTH, bands_tick(&surface, k, left[i], right[i]));
    bands_keep(&v->surface[n], &surface, b->lives[n]);
}

LANES_ONE_BY_ONE(vinyl)
