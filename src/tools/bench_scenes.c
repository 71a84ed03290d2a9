// Every scene, score and sound, on one core at the best SIMD level.
#include <math.h>

#include "tools/bench.h"
#include "tools/bench_material.h"

enum { CHUNKS = 300, REPEATS = 20 };

// Two chains run for 62 s of every ten minutes: the mean of ten minutes has its share of them.
_Static_assert((uint64_t)CHUNKS * REPEATS * CHUNK_FRAMES == PROGRAMME_EPOCH_FRAMES, "an epoch");

// Each run goes on where the last one stopped: the mean is what an hour costs, for chords and sections differ.
static void scenes_step(void *context)
{
    struct bench_material *material = context;
    float out[CHUNK_FRAMES * CHANNELS];
    for (int i = 0; i < CHUNKS; i++)
        programme_render(material->work, &material->program, backend_best(), out, CHUNK_FRAMES);
}

static enum status scenes_run(const struct bench_options *options, struct bench_output *output)
{
    double least = INFINITY;
    for (int i = 0; i < scene_count; i++) {
        struct bench_material material;
        enum status status = bench_material_init(&material, &scenes[i], 1, BENCH_MATERIAL_FRAME);
        if (status != STATUS_OK)
            return status;
        struct bench_case one = {.run = scenes_step, .context = &material};
        bench_material_rewind(&material);
        bench_measure(&one, 1, REPEATS);
        double times = CHUNKS * .1e9 / (double)one.mean_ns;
        bench_mean(output, times, "x real time", NULL, "%s", scenes[i].name);
        least = fmin(least, times);
        bench_material_finish(&material);
    }
    bench_mean(output, least, "x real time", NULL, "the slowest");
    return STATUS_OK;
}

const struct bench bench_scenes = {"scenes", "ten minutes of each scene on one core, in which chains take over once",
                                   scenes_run};
