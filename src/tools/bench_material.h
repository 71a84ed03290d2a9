// What benchmarks work on: a programme in full swing, ready to be copied and gone on with.
#pragma once
#include "base/status.h"
#include "score/scene.h"
#include "station/programme.h"

struct bench_material {
    struct mood_log log;
    struct program program;
    struct programme *ready;      // stands BENCH_MATERIAL_S into the programme
    struct programme *work;       // room for a copy
};

enum { BENCH_MATERIAL_S = 120 };

// A programme of a scene as it comes.   Errors: STATUS_MEMORY.
MUST_USE enum status bench_material_init(struct bench_material *material, const struct scene *scene, uint64_t seed);
void bench_material_finish(struct bench_material *material);
// Sets `work` back to `ready`.
void bench_material_rewind(struct bench_material *material);
