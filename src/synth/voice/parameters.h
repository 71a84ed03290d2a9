// The Voice's parameters, and a patch of them.
#pragma once

enum voice_parameter {
#define VOICE_PARAMETER(name, text, smallest, largest, curve, symmetric, unit) VOICE_##name,
#include "synth/voice/parameters.def"
#undef VOICE_PARAMETER
    VOICE_PARAMETERS
};

// Values in the units of their ranges.
struct voice_patch {
    float value[VOICE_PARAMETERS];
};
