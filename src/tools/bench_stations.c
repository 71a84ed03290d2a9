// How many different stations one core carries in real time, score, sound and Opus included, at each SIMD level.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encode.h"
#include "tools/bench.h"
#include "tools/bench_material.h"

enum { STATIONS = 128, CHUNKS = 10, RUNS = 10, LEVELS_MAX = 8, ALIGNMENT = 64 };

// As many as a core carries, so that all of them have to do with caches that are full of the others. Their places are
// spread over ten minutes: as many of them as on a server are just being taken over by another chain.
struct stations {
    struct bench_material material[STATIONS];
    void *ready[STATIONS], *work[STATIONS];      // their encoders, likewise
    uint8_t *bytes;
};

struct stations_case {
    struct stations *stations;
    const struct backend *backend;
};

static void stations_step(struct stations *stations, int i, const struct backend *backend)
{
    struct bench_material *material = &stations->material[i];
    float sound[CHUNK_FRAMES * CHANNELS];
    struct encode_input input = {.first_frame = programme_frame(material->work), .pcm = sound};
    struct encode_output output = {.bytes = stations->bytes};
    programme_render(material->work, &material->program, backend, sound, CHUNK_FRAMES);
    (void)encoder_opus.encode(stations->work[i], &input, &output);
}

// All stations go on by a chunk, then by the next, as in real time.
static void stations_case_run(void *context)
{
    struct stations_case *one = context;
    for (int n = 0; n < CHUNKS; n++)
        for (int i = 0; i < STATIONS; i++)
            stations_step(one->stations, i, one->backend);
}

static void stations_rewind(void *context)
{
    const struct stations_case *one = context;
    struct stations *stations = one->stations;
    for (int i = 0; i < STATIONS; i++) {
        bench_material_rewind(&stations->material[i]);
        memcpy(stations->work[i], stations->ready[i], encoder_opus.state_bytes);
    }
}

// What has been worked on is what is ready from now on.
static void stations_keep(struct stations *stations, int i)
{
    struct programme *programme = stations->material[i].ready;
    void *encoder = stations->ready[i];
    stations->material[i].ready = stations->material[i].work;
    stations->material[i].work = programme;
    stations->ready[i] = stations->work[i];
    stations->work[i] = encoder;
}

// An encoder begins somewhat before the place where the station is to stand.
static enum status stations_begin(struct stations *stations, int i)
{
    uint64_t along = (uint64_t)i * PROGRAMME_EPOCH_FRAMES / STATIONS;
    uint64_t place = BENCH_MATERIAL_FRAME + frames_round_down(along, CHUNK_FRAMES);
    size_t bytes = frames_round_up(encoder_opus.state_bytes, ALIGNMENT);
    stations->ready[i] = aligned_alloc(ALIGNMENT, bytes);
    stations->work[i] = aligned_alloc(ALIGNMENT, bytes);
    if (!stations->ready[i] || !stations->work[i])
        return STATUS_MEMORY;
    enum status status = encoder_opus.init(stations->work[i]);
    if (status == STATUS_OK)
        status = bench_material_init(&stations->material[i], &scenes[i % scene_count], (uint64_t)i + 1,
                                     encoder_opus.begin_frame(place));
    if (status != STATUS_OK)
        return status;
    bench_material_rewind(&stations->material[i]);
    while (programme_frame(stations->material[i].work) < place)
        stations_step(stations, i, backend_best());
    stations_keep(stations, i);
    return STATUS_OK;
}

// Levels take turns, and go through the same passages: they make the same samples, so it does not matter whose is kept.
// Each run goes on where the last one stopped, so that chords come and go, encoders and chains take over.
static void stations_measure(struct stations *stations, struct bench_case *cases, int count, double *mean_ns)
{
    for (int r = 0; r < RUNS; r++) {
        bench_measure(cases, count, 1);
        for (int n = 0; n < count; n++)
            mean_ns[n] += (double)cases[n].mean_ns / RUNS;
        for (int i = 0; i < STATIONS; i++)
            stations_keep(stations, i);
    }
}

static void stations_time(struct stations *stations, struct bench_output *output)
{
    struct stations_case contexts[LEVELS_MAX];
    struct bench_case cases[LEVELS_MAX];
    double mean_ns[LEVELS_MAX] = {0};
    int count = 0;
    for (const struct backend *const *at = backend_list(); *at && count < LEVELS_MAX; at++) {
        if (!(*at)->available())
            continue;
        contexts[count] = (struct stations_case){.stations = stations, .backend = *at};
        cases[count] = (struct bench_case){.prepare = stations_rewind, .run = stations_case_run,
                                           .context = &contexts[count]};
        count++;
    }
    stations_measure(stations, cases, count, mean_ns);
    for (int n = 0; n < count; n++) {
        const char *name = contexts[n].backend->name;
        double times = CHUNKS * .1e9 / mean_ns[n];
        bench_mean(output, times, "x real time", "every scene in turn, with Opus", "%s, %d stations", name, STATIONS);
        bench_mean(output, STATIONS * times, "stations a core", NULL, "%s", name);
    }
}

static void stations_finish(struct stations *stations)
{
    for (int i = 0; i < STATIONS; i++) {
        bench_material_finish(&stations->material[i]);
        free(stations->ready[i]);
        free(stations->work[i]);
    }
    free(stations->bytes);
    free(stations);
}

static enum status stations_run(const struct bench_options *options, struct bench_output *output)
{
    struct stations *stations = calloc(1, sizeof *stations);
    if (!stations)
        return STATUS_MEMORY;
    stations->bytes = malloc(encoder_opus.max_bytes);
    enum status status = stations->bytes ? STATUS_OK : STATUS_MEMORY;
    for (int i = 0; i < STATIONS && status == STATUS_OK; i++)
        status = stations_begin(stations, i);
    if (status == STATUS_OK)
        stations_time(stations, output);
    stations_finish(stations);
    return status;
}

const struct bench bench_stations = {"stations", "how many different stations one core carries in real time",
                                     stations_run};
