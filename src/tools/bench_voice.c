// A batch of voices: patches picked at random, and their sound, at each SIMD level on one core, and at the best on two
// threads.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "os/clock.h"
#include "os/thread.h"
#include "synth/voice/voice.h"
#include "tools/bench.h"

enum { VOICES = 128, REPEATS = 15, LEVELS_MAX = 8, THREADS = 2, ALIGNMENT = 64 };

static const double batch_samples = (double)VOICES * VOICE_FRAMES_MAX;

struct voice_batch {
    struct voice_patch patch[VOICES];
    struct voice_work *work[THREADS];
    float *out; // every sample of every voice
};

struct voice_case {
    struct voice_batch *batch;
    const struct voice_renderer *renderer;
};

// A thread's part of the batch.
struct voice_share {
    struct voice_case whole;
    struct thread thread;
    int number;
    uint64_t cpu_ns; // out
};

// Patches are picked anew for every batch, as for a training.
static void voice_batch_run(const struct voice_case *one, int thread, int first, int count)
{
    struct voice_batch *batch = one->batch;
    for (int n = first; n < first + count; n++)
        voice_patch_from_seed(&batch->patch[n], 1, (uint64_t)n);
    voice_render(one->renderer, batch->work[thread], batch->patch, first, count, 0, batch->out);
}

static void voice_case_run(void *context)
{
    voice_batch_run(context, 0, 0, VOICES);
}

static void voice_share_run(void *context)
{
    struct voice_share *share = context;
    uint64_t start_ns = clock_thread_cpu_ns();
    int count = VOICES / THREADS;
    voice_batch_run(&share->whole, share->number, share->number * count, count);
    share->cpu_ns = clock_thread_cpu_ns() - start_ns;
}

// least_ns: of all repeats; passed: until the last thread had ended; cpu: what the thread that worked longest had of
// its core, which is less where others run as well.
static enum status voice_shared(const struct voice_case *whole, uint64_t *passed_ns, uint64_t *cpu_ns)
{
    struct clock clock;
    clock_init(&clock, 1);
    *passed_ns = *cpu_ns = UINT64_MAX;
    for (int r = 0; r < REPEATS; r++) {
        struct voice_share shares[THREADS];
        enum status status = STATUS_OK;
        uint64_t start_ns = clock_now_ns(&clock), longest_ns = 0;
        for (int t = 0; t < THREADS; t++) {
            shares[t] = (struct voice_share){.whole = *whole, .number = t};
            if (status == STATUS_OK)
                status = thread_start(&shares[t].thread, "voices", THREAD_RENDER, voice_share_run, &shares[t]);
        }
        for (int t = 0; t < THREADS; t++) {
            thread_join(&shares[t].thread);
            longest_ns = shares[t].cpu_ns > longest_ns ? shares[t].cpu_ns : longest_ns;
        }
        if (status != STATUS_OK)
            return status;
        uint64_t now_ns = clock_now_ns(&clock) - start_ns;
        *passed_ns = now_ns < *passed_ns ? now_ns : *passed_ns;
        *cpu_ns = longest_ns < *cpu_ns ? longest_ns : *cpu_ns;
    }
    return STATUS_OK;
}

static double times_real(uint64_t ns)
{
    return batch_samples / VOICE_RATE * NS_PER_SECOND / (double)ns;
}

static double million_samples(uint64_t ns)
{
    return batch_samples * 1e3 / (double)ns;
}

static void voice_report(struct bench_output *output, const struct bench_case *cases, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t least_ns = cases[i].least_ns, median_ns = cases[i].median_ns;
        bench_best(output, times_real(least_ns), times_real(median_ns), "x real time", NULL, "%s", cases[i].name);
        bench_best(output, million_samples(least_ns), million_samples(median_ns), "million samples/s", NULL, "%s",
                   cases[i].name);
        if (i > 0)
            bench_value(output, (double)cases[0].least_ns / (double)least_ns, "x", NULL, "%s against %s", cases[i].name,
                        cases[0].name);
    }
}

static enum status voice_report_shared(struct bench_output *output, const struct voice_case *best)
{
    uint64_t passed_ns, cpu_ns;
    enum status status = voice_shared(best, &passed_ns, &cpu_ns);
    if (status != STATUS_OK)
        return status;
    bench_best(output, times_real(passed_ns), NAN, "x real time", "time that passed", "%s, two threads",
               best->renderer->name);
    bench_best(output, times_real(cpu_ns), NAN, "x real time", "CPU time of the busier: two cores to themselves",
               "%s, two threads", best->renderer->name);
    return STATUS_OK;
}

static bool voice_batch_init(struct voice_batch *batch)
{
    size_t bytes = (size_t)batch_samples * sizeof *batch->out;
    bool good = (batch->out = aligned_alloc(ALIGNMENT, bytes)) != NULL;
    for (int t = 0; t < THREADS; t++) {
        batch->work[t] = aligned_alloc(ALIGNMENT, frames_round_up(voice_work_bytes(), ALIGNMENT));
        good &= batch->work[t] != NULL;
    }
    if (!good)
        return false;
    memset(batch->out, 0, bytes);
    for (int t = 0; t < THREADS; t++)
        voice_work_init(batch->work[t], VOICE_FRAMES_MAX);
    return true;
}

static void voice_batch_finish(struct voice_batch *batch)
{
    free(batch->out);
    for (int t = 0; t < THREADS; t++)
        free(batch->work[t]);
}

static enum status voice_run(const struct bench_options *options, struct bench_output *output)
{
    struct voice_batch batch = {.out = NULL};
    struct voice_case contexts[LEVELS_MAX];
    struct bench_case cases[LEVELS_MAX];
    enum status status = STATUS_MEMORY;
    int count = 0;
    for (const struct voice_renderer *const *at = voice_renderer_list(); *at && count < LEVELS_MAX; at++) {
        if (!(*at)->available())
            continue;
        contexts[count] = (struct voice_case){.batch = &batch, .renderer = *at};
        cases[count] = (struct bench_case){.run = voice_case_run, .context = &contexts[count]};
        snprintf(cases[count].name, sizeof cases[count].name, "%s", (*at)->name);
        count++;
    }
    if (voice_batch_init(&batch)) {
        bench_measure(cases, count, REPEATS);
        voice_report(output, cases, count);
        status = voice_report_shared(output, &contexts[count - 1]);
    }
    voice_batch_finish(&batch);
    return status;
}

const struct bench bench_voice = {"voice", "a batch of 128 voices of 78 parameters, 4 s each, picked and rendered",
                                  voice_run};
