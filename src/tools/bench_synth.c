// A whole programme, score and sound, at each SIMD level.
#include <math.h>

#include "tools/bench.h"
#include "tools/bench_material.h"

enum { SOUND_CHUNKS = 20, REPEATS = 9, LEVELS_MAX = 8 };

struct synth_case {
    struct bench_material *material;
    const struct backend *backend;
};

static void synth_case_run(void *context)
{
    struct synth_case *one = context;
    float out[CHUNK_FRAMES * CHANNELS];
    bench_material_rewind(one->material);
    for (int i = 0; i < SOUND_CHUNKS; i++)
        programme_render(one->material->work, &one->material->program, one->backend, out, CHUNK_FRAMES);
}

static double times_real(uint64_t ns)
{
    return SOUND_CHUNKS * .1e9 / (double)ns;
}

static void synth_report(struct bench_output *output, const struct bench_case *cases, int count)
{
    for (int i = 0; i < count; i++) {
        bench_best(output, times_real(cases[i].least_ns), times_real(cases[i].median_ns), "x real time", NULL, "%s",
                   cases[i].name);
        if (i == 0)
            continue;
        double ratio = (double)cases[0].least_ns / (double)cases[i].least_ns;
        bench_value(output, ratio, "x", NULL, "%s against %s", cases[i].name, cases[0].name);
        bench_value(output, (1 - 1 / ratio) * 100, "%", NULL, "%s: time saved", cases[i].name);
    }
}

static enum status synth_run(const struct bench_options *options, struct bench_output *output)
{
    struct bench_material material;
    struct synth_case contexts[LEVELS_MAX];
    struct bench_case cases[LEVELS_MAX];
    int count = 0;
    enum status status = bench_material_init(&material, &scenes[0], 1, BENCH_MATERIAL_FRAME);
    if (status != STATUS_OK)
        return status;
    for (const struct backend *const *at = backend_list(); *at && count < LEVELS_MAX; at++) {
        if (!(*at)->available())
            continue;
        contexts[count] = (struct synth_case){.material = &material, .backend = *at};
        cases[count] = (struct bench_case){.run = synth_case_run, .context = &contexts[count]};
        snprintf(cases[count].name, sizeof cases[count].name, "%s", (*at)->name);
        count++;
    }
    bench_measure(cases, count, REPEATS);
    synth_report(output, cases, count);
    bench_material_finish(&material);
    return STATUS_OK;
}

const struct bench bench_synth = {"synth", "one programme, score and sound, at each SIMD level", synth_run};
