// How many different stations one core carries in real time, score, sound and Opus included.
#include <math.h>
#include <stdlib.h>

#include "encode/encode.h"
#include "tools/bench.h"
#include "tools/bench_material.h"

enum { STATIONS = 8, CHUNKS = 10, REPEATS = 7, ALIGNMENT = 64 };

struct stations {
    struct bench_material material[STATIONS];
    void *states[STATIONS];      // of Opus encoders
    uint8_t *bytes;
};

// All stations go on by a chunk, then by the next: as on a server, each finds the caches full of the others.
static void stations_step(void *context)
{
    struct stations *stations = context;
    float sound[CHUNK_FRAMES * CHANNELS];
    for (int i = 0; i < STATIONS; i++) {
        bench_material_rewind(&stations->material[i]);
        (void)encoder_opus.init(stations->states[i]);
    }
    for (int n = 0; n < CHUNKS; n++)
        for (int i = 0; i < STATIONS; i++) {
            struct bench_material *material = &stations->material[i];
            programme_render(material->work, &material->program, backend_best(), sound, CHUNK_FRAMES);
            struct encode_input input = {.first_frame = (uint64_t)n * CHUNK_FRAMES, .pcm = sound};
            struct encode_output encoded = {.bytes = stations->bytes};
            (void)encoder_opus.encode(stations->states[i], &input, &encoded);
        }
}

static bool stations_prepare(struct stations *stations)
{
    bool good = (stations->bytes = malloc(encoder_opus.max_bytes)) != NULL;
    for (int i = 0; i < STATIONS; i++) {
        good = bench_material_init(&stations->material[i], (uint64_t)i + 1) == STATUS_OK && good;
        stations->states[i] = aligned_alloc(ALIGNMENT, frames_round_up(encoder_opus.state_bytes, ALIGNMENT));
        good = good && stations->states[i];
    }
    return good;
}

static double stations_a_core(uint64_t ns)
{
    return STATIONS * CHUNKS * .1e9 / (double)ns;
}

static enum status stations_run(const struct bench_options *options, struct bench_output *output)
{
    struct stations stations = {0};
    struct bench_case one = {.run = stations_step, .context = &stations};
    bool good = stations_prepare(&stations);
    if (good) {
        bench_measure(&one, 1, REPEATS);
        bench_row(output, stations_a_core(one.least_ns), stations_a_core(one.median_ns), "stations a core",
                  "each different, with Opus", "in real time");
    }
    for (int i = 0; i < STATIONS; i++) {
        bench_material_finish(&stations.material[i]);
        free(stations.states[i]);
    }
    free(stations.bytes);
    return good ? STATUS_OK : STATUS_MEMORY;
}

const struct bench bench_stations = {"stations", "how many different stations one core carries in real time",
                                     stations_run};
