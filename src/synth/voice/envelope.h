// Envelopes at control rate, SYNTH_WIDTH points at a time.
#pragma once
#include "synth/dsp/math.h"
#include "synth/voice/work.h"

// A line from 0 to 1, kept there, bent by a power; or one minus that.
struct voice_ramp {
    float start, per_point, end; // points; it has arrived from `end` on
    float alpha, before;         // before: its value up to the start
    bool falls;
};

struct voice_envelope {
    struct voice_ramp attack, decay, release;
    float sustain;
};

// The ramp's epsilons keep torchsynth's logarithms off zero.
INLINE vf voice_ramp_bent(const struct voice_ramp *ramp, vf points_in)
{
    const float epsilon = 1e-6f;
    vf x = vf_min((points_in + epsilon) * ramp->per_point + epsilon, vf_set(1.0f));
    return vf_power(ramp->falls ? 1.0f - x : x, vf_set(ramp->alpha));
}

// A ramp that takes no time is 1 throughout, in both directions.
static void voice_ramp_init(struct voice_ramp *ramp, float start_s, float length_s, float alpha, bool falls)
{
    ramp->start = start_s * VOICE_CONTROL_RATE;
    ramp->end = ramp->start + length_s * VOICE_CONTROL_RATE + 1;
    ramp->per_point = length_s > 0 ? 1.0f / (length_s * VOICE_CONTROL_RATE) : 1e30f;
    ramp->alpha = alpha;
    ramp->falls = falls && length_s > 0;
    ramp->before = vf_first(voice_ramp_bent(ramp, (vf){0}));
}

// values: of the envelope's parameters.   held_s: when the key is let go.
static void voice_envelope_init(struct voice_envelope *envelope, const float *values, float held_s)
{
    float attack_s = values[VOICE_ENVELOPE_ATTACK], alpha = values[VOICE_ENVELOPE_ALPHA];
    float left_s = held_s > attack_s ? held_s - attack_s : 0;
    float decay_s = values[VOICE_ENVELOPE_DECAY] < left_s ? values[VOICE_ENVELOPE_DECAY] : left_s;
    attack_s = attack_s < held_s ? attack_s : held_s;
    voice_ramp_init(&envelope->attack, 0, attack_s, alpha, false);
    voice_ramp_init(&envelope->decay, attack_s, decay_s, alpha, true);
    voice_ramp_init(&envelope->release, held_s, values[VOICE_ENVELOPE_RELEASE], alpha, true);
    envelope->sustain = values[VOICE_ENVELOPE_SUSTAIN];
}

// What it is at points first .. first + SYNTH_WIDTH - 1. Where it rests no power is taken; the bits are the same.
INLINE vf voice_ramp_at(const struct voice_ramp *ramp, float first, vf point)
{
    if (first >= ramp->end)
        return vf_set(ramp->falls ? 0.0f : 1.0f);
    if (first + (SYNTH_WIDTH - 1) <= ramp->start)
        return vf_set(ramp->before);
    return voice_ramp_bent(ramp, vf_max(point - ramp->start, (vf){0}));
}

INLINE vf voice_envelope_at(const struct voice_envelope *envelope, float first, vf point)
{
    vf decay = voice_ramp_at(&envelope->decay, first, point) * (1.0f - envelope->sustain) + envelope->sustain;
    return voice_ramp_at(&envelope->attack, first, point) * decay * voice_ramp_at(&envelope->release, first, point);
}
