// A renderer: how blocks are computed. One per SIMD level of the CPU; others may render many states at once.
#pragma once
#include <stdbool.h>

struct event;

struct backend {
    const char *name;          // "scalar", "sse2", "avx2", "avx512", "neon"
    int width;                 // floats that one instruction computes
    bool (*available)(void);   // this machine can run it
    // One control block of one state: events of this block already applied. out: 64 frames, interleaved stereo.
    // False when the renderer failed: neither the block nor the state can be used then.
    bool (*render_block)(const struct backend *backend, void *state, float *out);
};

// All that were built in, slowest first; NULL at the end.
const struct backend *const *backend_list(void);
// The fastest that this machine can run.
const struct backend *backend_best(void);
// NULL when it was not built in or this machine cannot run it.
const struct backend *backend_find(const char *name);
