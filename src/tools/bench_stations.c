// How many different stations one core carries in real time, score, sound and Opus included, at each SIMD level.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encode.h"
#include "tools/bench.h"
#include "tools/bench_material.h"

enum { STATIONS = 8, CHUNKS = 10, RUNS = 20, LEVELS_MAX = 8, ALIGNMENT = 64 };

// The same stations at one level, each of another scene and seed.
struct stations {
    const struct backend *backend;
    const struct bench_material *material;       // STATIONS of them
    struct programme *programmes[STATIONS];
    void *encoders[STATIONS];
    uint64_t encoded;                            // frames of each
    uint8_t *bytes;
};

// All stations go on by a chunk, then by the next: as on a server, each finds the caches full of the others. Each run
// goes on where the last one stopped, so that chords and sections come and go, encoders and chains take over.
static void stations_step(void *context)
{
    struct stations *stations = context;
    float sound[CHUNK_FRAMES * CHANNELS];
    for (int n = 0; n < CHUNKS; n++, stations->encoded += CHUNK_FRAMES)
        for (int i = 0; i < STATIONS; i++) {
            programme_render(stations->programmes[i], &stations->material[i].program, stations->backend, sound,
                             CHUNK_FRAMES);
            struct encode_input input = {.first_frame = stations->encoded, .pcm = sound};
            struct encode_output output = {.bytes = stations->bytes};
            (void)encoder_opus.encode(stations->encoders[i], &input, &output);
        }
}

static enum status stations_init(struct stations *stations, const struct backend *backend,
                                 const struct bench_material *material)
{
    *stations = (struct stations){.backend = backend, .material = material, .bytes = malloc(encoder_opus.max_bytes)};
    enum status status = stations->bytes ? STATUS_OK : STATUS_MEMORY;
    for (int i = 0; i < STATIONS && status == STATUS_OK; i++) {
        stations->programmes[i] = aligned_alloc(ALIGNMENT, programme_bytes());
        stations->encoders[i] = aligned_alloc(ALIGNMENT, frames_round_up(encoder_opus.state_bytes, ALIGNMENT));
        if (!stations->programmes[i] || !stations->encoders[i])
            return STATUS_MEMORY;
        memcpy(stations->programmes[i], material[i].ready, programme_bytes());
        status = encoder_opus.init(stations->encoders[i]);
    }
    return status;
}

static void stations_finish(struct stations *stations)
{
    for (int i = 0; i < STATIONS; i++) {
        free(stations->programmes[i]);
        free(stations->encoders[i]);
    }
    free(stations->bytes);
}

// Levels take turns, and go through the same passages.
static void stations_time(struct stations *levels, int count, struct bench_output *output)
{
    struct bench_case cases[LEVELS_MAX];
    for (int n = 0; n < count; n++)
        cases[n] = (struct bench_case){.run = stations_step, .context = &levels[n]};
    bench_measure(cases, count, RUNS);
    for (int n = 0; n < count; n++)
        bench_mean(output, STATIONS * CHUNKS * .1e9 / (double)cases[n].mean_ns, "stations a core",
                   "each another scene, with Opus", "%s", levels[n].backend->name);
}

static enum status stations_run_levels(const struct bench_material *material, struct bench_output *output)
{
    struct stations levels[LEVELS_MAX];
    enum status status = STATUS_OK;
    int count = 0;
    for (const struct backend *const *at = backend_list(); *at && count < LEVELS_MAX && status == STATUS_OK; at++)
        if ((*at)->available())
            status = stations_init(&levels[count++], *at, material);
    if (status == STATUS_OK)
        stations_time(levels, count, output);
    while (count > 0)
        stations_finish(&levels[--count]);
    return status;
}

static enum status stations_run(const struct bench_options *options, struct bench_output *output)
{
    struct bench_material material[STATIONS] = {0};
    enum status status = STATUS_OK;
    for (int i = 0; i < STATIONS && status == STATUS_OK; i++)
        status = bench_material_init(&material[i], &scenes[i % scene_count], (uint64_t)i + 1);
    if (status == STATUS_OK)
        status = stations_run_levels(material, output);
    for (int i = 0; i < STATIONS; i++)
        bench_material_finish(&material[i]);
    return status;
}

const struct bench bench_stations = {"stations", "how many different stations one core carries in real time",
                                     stations_run};
