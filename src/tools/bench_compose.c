// What composing costs.
#include <math.h>

#include "tools/bench.h"
#include "tools/bench_material.h"

enum { CHUNKS = 600, REPEATS = 9, PLACES = 16 };

static void compose_a_minute(void *context)
{
    const struct program *program = context;
    struct event events[COMPOSE_MAX_EVENTS];
    for (uint64_t at = 0; at < CHUNKS * (uint64_t)CHUNK_FRAMES; at += CHUNK_FRAMES)
        compose_events(program, at, at + CHUNK_FRAMES, events);
}

// A chain that starts at a place far into the programme.
static void compose_seeks(void *context)
{
    const struct program *program = context;
    struct event events[COMPOSE_MAX_EVENTS];
    for (uint64_t i = 1; i <= PLACES; i++)
        compose_sounding(program, i * 7919 * FRAME_RATE, events);
}

static enum status compose_run(const struct bench_options *options, struct bench_output *output)
{
    struct mood_log log;
    struct mood mood = mood_default();
    enum status status = mood_log_init(&log, &mood);
    if (status != STATUS_OK)
        return status;
    struct program program = {.seed = 1, .log = &log};
    struct bench_case cases[] = {{.run = compose_a_minute, .context = &program},
                                 {.run = compose_seeks, .context = &program}};
    bench_measure(cases, 2, REPEATS);
    double least_us = (double)cases[0].least_ns / 1e3 / CHUNKS, median_us = (double)cases[0].median_ns / 1e3 / CHUNKS;
    bench_best(output, least_us, median_us, "us a chunk", NULL, "going on");
    bench_best(output, 1e5 / least_us, 1e5 / median_us, "x real time", NULL, "going on");
    bench_best(output, (double)cases[1].least_ns / 1e3 / PLACES, (double)cases[1].median_ns / 1e3 / PLACES,
               "us a place", "what sounds at a frame, from nothing", "seeking");
    mood_log_finish(&log);
    return STATUS_OK;
}

const struct bench bench_compose = {"compose", "the score alone", compose_run};
