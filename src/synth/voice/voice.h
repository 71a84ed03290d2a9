// The Voice: two oscillators and noise under six envelopes, two LFOs and a modulation matrix, 78 parameters in all;
// many patches are rendered in one go. It stands beside the stations' synthesiser and shares its vectors and
// polynomials. Any thread; one `work` for each. Nothing is allocated, nothing locked, and every level gives the same
// bits. Source: J. Turian, J. Shier, G. Tzanetakis, K. McNally, M. Henry, One Billion Audio Sounds from GPU-enabled
// Modular Synthesis (2021); the formulas of torchsynth 1.0.2. Its noise is not ours, and patches are not mapped with
// its rounding.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "synth/voice/parameters.h"

enum {
    VOICE_RATE = 44100,
    VOICE_CONTROL_RATE = 441,
    VOICE_FRAMES_MAX = 4 * VOICE_RATE,
    VOICE_FRAMES_MIN = VOICE_RATE / 10,
};

struct voice_range {
    const char *name; // "lfo_1.frequency"
    const char *unit; // "" where it has none
    float smallest, largest, curve;
    bool symmetric;
};

extern const struct voice_range voice_ranges[VOICE_PARAMETERS];

// From numbers in 0 .. 1, which are clamped; a NaN counts as 0.
void voice_patch_from_units(struct voice_patch *patch, const float units[VOICE_PARAMETERS]);
// The patch of a number: all parameters even in 0 .. 1, each a pure function of (seed, index).
void voice_patch_from_seed(struct voice_patch *patch, uint64_t seed, uint64_t index);

struct voice_work;

// One per SIMD level of the CPU.
struct voice_renderer {
    const char *name;        // "scalar", "sse2", "avx2", "avx512", "neon"
    int width;               // samples that one instruction computes
    bool (*available)(void); // this machine can run it
    // One patch.   noise: picks its noise.   out: work's frames, mono, no alignment needed.
    void (*render)(struct voice_work *work, const struct voice_patch *patch, uint32_t noise, float *out);
};

// All that were built in, slowest first; NULL at the end.
const struct voice_renderer *const *voice_renderer_list(void);
// The fastest that this machine can run.
const struct voice_renderer *voice_renderer_best(void);

// Bytes of work, to be aligned to 64.
size_t voice_work_bytes(void);
// For sounds of so many frames at VOICE_RATE, VOICE_FRAMES_MIN .. VOICE_FRAMES_MAX.
void voice_work_init(struct voice_work *work, int frames);

// Patches first .. first + count - 1 of an array.   out: the sound of patches[n] goes to out + n * frames, in
// -1 .. 1 (what is louder is scaled down as a whole). The noise of patches[n] depends on n and noise_seed alone, so a
// batch can be shared out among threads.
// Values are to lie in their ranges, as both ways to make a patch see to.
void voice_render(const struct voice_renderer *renderer, struct voice_work *work, const struct voice_patch *patches,
                  int first, int count, uint32_t noise_seed, float *out);
