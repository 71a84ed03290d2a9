// The SIMD levels. Each is a compilation of the same kernels, of which every one leaves a table: PREFIX_LEVEL. Which of
// them are built in is settled by meson, by the same rule as here.
#pragma once
#include "synth/backend.h"
#include "synth/voice/voice.h"

// All that are built in, slowest first.
#if defined(__x86_64__)
#define SYNTH_LEVELS(LEVEL) LEVEL(scalar) LEVEL(sse2) LEVEL(avx2) LEVEL(avx512)
#elif defined(__aarch64__)
#define SYNTH_LEVELS(LEVEL) LEVEL(scalar) LEVEL(neon)
#else
#define SYNTH_LEVELS(LEVEL) LEVEL(scalar)
#endif

// Its tables, and whether this machine can run it.
#define LEVEL(level)                                  \
    extern const struct backend backend_##level;      \
    extern const struct voice_renderer voice_##level; \
    bool level##_available(void);
SYNTH_LEVELS(LEVEL)
#undef LEVEL

// Of the level that is being compiled, SYNTH_LEVEL: the name of a table, its own name, and the question.
#define LEVEL_JOIN_(left, right) left##right
#define LEVEL_JOIN(left, right) LEVEL_JOIN_(left, right)
#define LEVEL_QUOTE_(text) #text
#define LEVEL_QUOTE(text) LEVEL_QUOTE_(text)
#define LEVEL_TABLE(prefix) LEVEL_JOIN(prefix, SYNTH_LEVEL)
#define LEVEL_TEXT LEVEL_QUOTE(SYNTH_LEVEL)
#define LEVEL_AVAILABLE LEVEL_JOIN(SYNTH_LEVEL, _available)
