// Modular: the Voice with its 78 parameters, as a few patches that suit slow music. A sine, a tone between square
// and saw, and noise, under six envelopes, two LFOs and a modulation matrix, whose signals are made once a block. What
// differs from the Voice that synth/voice renders: a key that is held does not know when it will be let go, so its
// attack is never shortened; and each note has the lane's envelope on top.
// Source: as in synth/voice/voice.h.
#pragma once
#include "synth/dsp/chance.h"
#include "synth/dsp/envelope.h"
#include "synth/dsp/lfo.h"
#include "synth/dsp/noise.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"
#include "synth/instruments/modular_patches.h"
#include "synth/instruments/pan.h"

enum { MODULAR_LFOS = 2, MODULAR_SOUNDS = 3 };

struct modular {
    struct lanes lanes;
    uint32_t age[LANES], held[LANES];      // blocks since the key was pressed, and until it was let go
    uint32_t lfo[MODULAR_LFOS][LANES], phase[2][LANES], noise[LANES];
    uint32_t increment[2][LANES];          // reached
    float amp[MODULAR_SOUNDS][LANES];      // reached
};

static const struct instrument_levels modular_levels = {.dry = 0.27f, .send = 0.2f};

INLINE const struct voice_patch *modular_patch(const struct modular *m, int n)
{
    return &modular_patches[chance_of(note_seed(m->lanes.now.id[n])) % MODULAR_PATCHES];
}

INLINE void modular_start(struct modular *m, int n)
{
    m->age[n] = m->held[n] = 0;
    for (int i = 0; i < 2; i++) {
        m->lfo[i][n] = m->phase[i][n] = m->increment[i][n] = 0;
    }
    m->noise[n] = note_seed(m->lanes.now.id[n]);
    for (int i = 0; i < MODULAR_SOUNDS; i++)
        m->amp[i][n] = 0;
}

// The patches of SYNTH_WIDTH lanes, parameter by parameter.
struct modular_knobs {
    alignas(64) float value[VOICE_PARAMETERS][SYNTH_WIDTH];
};

INLINE void modular_gather(const struct modular *m, int first, struct modular_knobs *k)
{
    for (int n = 0; n < SYNTH_WIDTH; n++) {
        const struct voice_patch *patch = modular_patch(m, first + n);
        for (int i = 0; i < VOICE_PARAMETERS; i++)
            k->value[i][n] = patch->value[i];
    }
}

// When a block is, in seconds: since the key was pressed, since it was let go (0 while it is held), and how long it was
// held until then.
struct modular_time {
    vf pressed, let_go, held;
};

INLINE struct modular_time modular_time(struct modular *m, int first, vu lives)
{
    const float seconds = (float)CONTROL_FRAMES / FRAME_RATE;
    alignas(64) uint32_t holds[SYNTH_WIDTH];
    for (int n = 0; n < SYNTH_WIDTH; n++) {
        uint32_t stage = m->lanes.stage[first + n];
        holds[n] = stage == LANE_ATTACKS || stage == LANE_HOLDS ? UINT32_MAX : 0;
    }
    vu age = vu_load(m->age + first) + 1, held = vu_select(vu_load(holds), age, vu_load(m->held + first));
    vu_store(m->age + first, age & lives);
    vu_store(m->held + first, held & lives);
    return (struct modular_time){vf_from(age) * seconds, vf_from(age - held) * seconds, vf_from(held) * seconds};
}

// From 0 to 1 within `length` seconds; at once when that is nothing.
INLINE vf modular_ramp(vf at, vf length)
{
    return vf_clamp(at / vf_max(length, vf_set(1e-4f)), 0.0f, 1.0f);
}

// run: where the envelope's parameters begin.
INLINE vf modular_envelope(const struct modular_knobs *k, int run, struct modular_time t)
{
    vf attack = vf_load(k->value[run + VOICE_ENVELOPE_ATTACK]), decay = vf_load(k->value[run + VOICE_ENVELOPE_DECAY]);
    vf sustain = vf_load(k->value[run + VOICE_ENVELOPE_SUSTAIN]);
    vf release = vf_load(k->value[run + VOICE_ENVELOPE_RELEASE]);
    vf alpha = vf_load(k->value[run + VOICE_ENVELOPE_ALPHA]);
    vf up = vf_power(modular_ramp(t.pressed, attack), alpha);
    vf fall = modular_ramp(vf_min(t.pressed, t.held) - attack, decay);
    vf down = vf_power(1.0f - fall, alpha) * (1.0f - sustain) + sustain;
    return up * down * vf_power(1.0f - modular_ramp(t.let_go, release), alpha);
}

// One LFO, a block on; 0..1.
INLINE vf modular_lfo(struct modular *m, const struct modular_knobs *k, int which, int first, struct modular_time t,
                      vu lives)
{
    const float(*values)[SYNTH_WIDTH] = k->value + (which ? VOICE_LFO_2_FREQUENCY : VOICE_LFO_1_FREQUENCY);
    int rate = which ? VOICE_LFO_2_RATE_ATTACK : VOICE_LFO_1_RATE_ATTACK;
    vf depth_hz = vf_load(values[VOICE_LFO_MOD_DEPTH]) * modular_envelope(k, rate, t);
    vf hz = vf_max(vf_load(values[VOICE_LFO_FREQUENCY]) + depth_hz, (vf){0});
    vu phase = vu_load(m->lfo[which] + first) + vu_from(hz * (0x1p32f * CONTROL_FRAMES / FRAME_RATE));
    vu_store(m->lfo[which] + first, phase & lives);
    phase += phase_of_radians(vf_load(values[VOICE_LFO_INITIAL_PHASE]));
    vf weight[LFO_WAVES], weights = vf_set(1e-9f);
    for (int w = 0; w < LFO_WAVES; w++)
        weights += weight[w] = vf_power(vf_load(values[VOICE_LFO_WAVES + w]), vf_set(2.718281828f));
    return lfo_at(phase, weight) / weights;
}

// What the matrix makes of envelopes and LFOs.
INLINE void modular_modulate(struct modular *m, const struct modular_knobs *k, int first, struct modular_time t,
                             vu lives, vf out[VOICE_DESTINATIONS])
{
    const vf source[VOICE_SOURCES] = {
        modular_envelope(k, VOICE_ADSR_1_ATTACK, t),
        modular_envelope(k, VOICE_ADSR_2_ATTACK, t),
        modular_lfo(m, k, 0, first, t, lives) * modular_envelope(k, VOICE_LFO_1_AMP_ATTACK, t),
        modular_lfo(m, k, 1, first, t, lives) * modular_envelope(k, VOICE_LFO_2_AMP_ATTACK, t),
    };
    for (int d = 0; d < VOICE_DESTINATIONS; d++) {
        out[d] = (vf){0};
        for (int s = 0; s < VOICE_SOURCES; s++)
            out[d] += source[s] * vf_load(k->value[VOICE_MOD_ADSR_1_TO_VCO_1_PITCH + s * VOICE_DESTINATIONS + d]);
    }
}

// What SYNTH_WIDTH lanes do during one block.
struct modular_control {
    vu phase[2], increment[2], increment_step[2];
    vf amp[MODULAR_SOUNDS], amp_step[MODULAR_SOUNDS];
    vf drive, shape;
};

// Pitches of the oscillators; the drive of the square is that of the highest pitch that it may have.
INLINE void modular_pitch(const struct modular *m, const struct modular_knobs *k, int first, vu started,
                          const vf modulation[VOICE_DESTINATIONS], struct modular_control *c)
{
    static const int tuned[2] = {VOICE_TO_VCO_1_PITCH, VOICE_TO_VCO_2_PITCH};
    vf pitch = vf_load(m->lanes.now.pitch + first);
    for (int i = 0; i < 2; i++) {
        const float(*values)[SYNTH_WIDTH] = k->value + (i ? VOICE_VCO_2_TUNING : VOICE_VCO_1_TUNING);
        vf moved = vf_load(values[VOICE_VCO_MOD_DEPTH]) * modulation[tuned[i]];
        vf at = vf_clamp(pitch + vf_load(values[VOICE_VCO_TUNING]) + moved, 0.0f, 127.0f);
        vu to = phase_increment(pitch_hz(at));
        vu initial = phase_of_radians(vf_load(values[VOICE_VCO_INITIAL_PHASE]));
        c->phase[i] = vu_select(started, initial, vu_load(m->phase[i] + first));
        c->increment[i] = vu_select(started, to, vu_load(m->increment[i] + first));
        c->increment_step[i] = (vu)((vi)(to - c->increment[i]) / CONTROL_FRAMES);
    }
    vf highest = pitch + vf_load(k->value[VOICE_VCO_2_TUNING]);
    vf hz = pitch_hz(highest + vf_max(vf_load(k->value[VOICE_VCO_2_MOD_DEPTH]), (vf){0}));
    c->drive = square_drive(hz);
    c->shape = vf_load(k->value[VOICE_VCO_2_SHAPE]);
}

INLINE void modular_amps(const struct modular *m, const struct modular_knobs *k, int first, vf loudness,
                         const vf modulation[VOICE_DESTINATIONS], struct modular_control *c)
{
    const vf wanted[MODULAR_SOUNDS] = {
        modulation[VOICE_TO_VCO_1_AMP] * vf_load(k->value[VOICE_MIXER_VCO_1]),
        modulation[VOICE_TO_VCO_2_AMP] * vf_load(k->value[VOICE_MIXER_VCO_2]) * (1.0f - c->shape * 0.5f),
        modulation[VOICE_TO_NOISE_AMP] * vf_load(k->value[VOICE_MIXER_NOISE]),
    };
    for (int i = 0; i < MODULAR_SOUNDS; i++) {
        c->amp[i] = vf_load(m->amp[i] + first);
        c->amp_step[i] = (wanted[i] * loudness - c->amp[i]) * (1.0f / CONTROL_FRAMES);
    }
}

// One frame. Between square and saw: tanh(drive sin) (1 + shape cos).
INLINE vf modular_tick(struct modular_control *c, vu *noise)
{
    for (int i = 0; i < 2; i++) {
        c->increment[i] += c->increment_step[i];
        c->phase[i] += c->increment[i];
    }
    for (int i = 0; i < MODULAR_SOUNDS; i++)
        c->amp[i] += c->amp_step[i];
    vf edge = vf_tanh(vf_sin_phase(c->phase[1]) * c->drive);
    vf second = edge * (1.0f + vf_sin_phase(c->phase[1] + 0x40000000) * c->shape);
    return vf_sin_phase(c->phase[0] + 0x40000000) * c->amp[0] + second * c->amp[1] + noise_tick(noise) * c->amp[2];
}

INLINE void modular_keep(struct modular *m, int first, const struct modular_control *c, vu noise, vu lives)
{
    for (int i = 0; i < 2; i++) {
        vu_store(m->phase[i] + first, c->phase[i] & lives);
        vu_store(m->increment[i] + first, c->increment[i] & lives);
    }
    for (int i = 0; i < MODULAR_SOUNDS; i++)
        lane_keep(m->amp[i] + first, c->amp[i], lives);
    vu_store(m->noise + first, noise & lives);
}

INLINE void modular_lanes(struct modular *m, int first, const struct lane_block *b, const struct mix *mix,
                          struct lane_bus *bus)
{
    vu lives = vu_load(b->lives + first), noise = vu_load(m->noise + first);
    vf bright = vf_load(m->lanes.now.brightness + first) * 0.6f + mix->brightness * 0.4f;
    struct modular_knobs knobs;
    struct modular_control c;
    vf modulation[VOICE_DESTINATIONS];
    modular_gather(m, first, &knobs);
    modular_modulate(m, &knobs, first, modular_time(m, first, lives), lives, modulation);
    // What a hand on the mixer would do: more of all that is not the sine.
    modulation[VOICE_TO_VCO_2_AMP] *= 0.4f + 1.2f * bright;
    modulation[VOICE_TO_NOISE_AMP] *= 0.4f + 1.2f * bright;
    modular_pitch(m, &knobs, first, lanes_started(b, first), modulation, &c);
    modular_amps(m, &knobs, first, vf_load(b->loudness + first), modulation, &c);
    struct pan_gains pan = pan_gains(vf_load(m->lanes.now.pan + first));
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf tone = modular_tick(&c, &noise);
        lane_bus_add(bus, i, first, tone * pan.left, tone * pan.right);
    }
    modular_keep(m, first, &c, noise, lives);
}
