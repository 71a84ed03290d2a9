// The renderers of the Voice. Which of them are built in is settled by meson.
#pragma once
#include "synth/voice/voice.h"

extern const struct voice_renderer voice_scalar, voice_sse2, voice_avx2, voice_avx512, voice_neon;
