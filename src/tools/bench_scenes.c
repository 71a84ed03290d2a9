// Every scene, score and sound, on one core at the best SIMD level.
#include <math.h>

#include "tools/bench.h"
#include "tools/bench_material.h"

enum { CHUNKS = 300, REPEATS = 6 };

static void scenes_step(void *context)
{
    struct bench_material *material = context;
    float out[CHUNK_FRAMES * CHANNELS];
    for (int i = 0; i < CHUNKS; i++)
        programme_render(material->work, &material->program, backend_best(), out, CHUNK_FRAMES);
}

// Minutes of one programme, each run going on where the last one stopped: the mean is what an hour of it costs, for
// chords and sections differ.
static double scenes_mean_ns(struct bench_material *material)
{
    double sum_ns = 0;
    bench_material_rewind(material);
    for (int n = 0; n < REPEATS; n++) {
        struct bench_case one = {.run = scenes_step, .context = material};
        bench_measure(&one, 1, 1);
        sum_ns += (double)one.least_ns;
    }
    return sum_ns / REPEATS;
}

static enum status scenes_run(const struct bench_options *options, struct bench_output *output)
{
    double least = INFINITY;
    for (int i = 0; i < scene_count; i++) {
        struct bench_material material;
        enum status status = bench_material_init(&material, &scenes[i], 1);
        if (status != STATUS_OK)
            return status;
        double times = CHUNKS * .1e9 / scenes_mean_ns(&material);
        bench_row(output, times, NAN, "x real time", NULL, "%s", scenes[i].name);
        least = fmin(least, times);
        bench_material_finish(&material);
    }
    bench_row(output, least, NAN, "x real time", NULL, "the slowest");
    return STATUS_OK;
}

const struct bench bench_scenes = {"scenes", "three minutes of each scene on one core", scenes_run};
