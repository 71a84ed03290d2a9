// The Voice's parameters, and a patch of them.
#pragma once

enum voice_parameter {
#define VOICE_PARAMETER(name, text, smallest, largest, curve, symmetric, unit) VOICE_##name,
#include "synth/voice/parameters.def"
#undef VOICE_PARAMETER
    VOICE_PARAMETERS
};

// What stands where in the run of an envelope, of an LFO and of an oscillator.
enum {
    VOICE_ENVELOPE_ATTACK,
    VOICE_ENVELOPE_DECAY,
    VOICE_ENVELOPE_SUSTAIN,
    VOICE_ENVELOPE_RELEASE,
    VOICE_ENVELOPE_ALPHA
};
enum { VOICE_LFO_FREQUENCY, VOICE_LFO_MOD_DEPTH, VOICE_LFO_INITIAL_PHASE, VOICE_LFO_WAVES };  // from there: dsp/lfo.h
enum { VOICE_VCO_TUNING, VOICE_VCO_MOD_DEPTH, VOICE_VCO_INITIAL_PHASE };

// Rows of the modulation matrix: two envelopes, two LFOs. Columns: where they go.
enum { VOICE_SOURCES = 4 };
enum voice_destination {
    VOICE_TO_VCO_1_PITCH,
    VOICE_TO_VCO_1_AMP,
    VOICE_TO_VCO_2_PITCH,
    VOICE_TO_VCO_2_AMP,
    VOICE_TO_NOISE_AMP,
    VOICE_DESTINATIONS
};

// Values in the units of their ranges.
struct voice_patch {
    float value[VOICE_PARAMETERS];
};
