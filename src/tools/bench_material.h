// What benchmarks work on: a programme in full swing, ready to be copied and gone on with.
#pragma once
#include "base/status.h"
#include "score/scene.h"
#include "station/programme.h"

struct bench_material {
    struct mood_log log;
    struct program program;
    struct programme *ready;      // in full swing
    struct programme *work;       // room for a copy
};

// Where it stands when there is but one.
#define BENCH_MATERIAL_FRAME ((uint64_t)120 * FRAME_RATE)

// A programme of a scene as it comes.   at_frame: where it stands, a multiple of CHUNK_FRAMES, two minutes or more.
// Errors: STATUS_MEMORY.
MUST_USE enum status bench_material_init(struct bench_material *material, const struct scene *scene, uint64_t seed,
                                         uint64_t at_frame);
void bench_material_finish(struct bench_material *material);
// Sets `work` back to `ready`.
void bench_material_rewind(struct bench_material *material);
