// What the parts cost: voices, reverb with mastering, encoders.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encode.h"
#include "tools/bench.h"
#include "tools/bench_material.h"

enum { CHUNKS = 5, BLOCKS = CHUNK_FRAMES / CONTROL_FRAMES, REPEATS = 15, ALIGNMENT = 64 };

// One chain with so many notes of one instrument; none: reverb and mastering alone.
struct voice_case {
    enum instrument instrument;
    int notes;
    void *ready, *work;
};

struct encode_case {
    const struct encoder *encoder;
    const float *sound;      // (CHUNKS + 2) chunks
    void *state;
    uint8_t *bytes;
};

static int voice_events(const struct voice_case *one, struct event *events)
{
    struct event *mix = &events[0];
    *mix = (struct event){.kind = EVENT_MIX, .mix = {.brightness = .5f, .motion = .5f, .space = .5f,
                                                         .warmth = .5f, .loudness = -18}};
    for (int i = 0; i < LAYER_COUNT; i++)
        mix->mix.gain[i] = 1;
    for (int i = 0; i < one->notes; i++)
        events[1 + i] = (struct event){.kind = EVENT_NOTE_ON,
                                       .note = {.id = (uint64_t)i + 1, .instrument = (uint8_t)one->instrument,
                                                .lane = (uint8_t)i, .pitch = 40 + (float)i, .velocity = .1f,
                                                .brightness = .5f, .attack_s = .01f, .release_s = 5,
                                                .hold_frames = 10 * FRAME_RATE}};
    return 1 + one->notes;
}

static bool voice_prepare(struct voice_case *one, enum instrument instrument, int notes)
{
    struct event events[1 + INSTRUMENT_LANES_MAX];
    float out[CONTROL_FRAMES * CHANNELS];
    *one = (struct voice_case){.instrument = instrument, .notes = notes,
                               .ready = aligned_alloc(ALIGNMENT, synth_bytes()),
                               .work = aligned_alloc(ALIGNMENT, synth_bytes())};
    if (!one->ready || !one->work)
        return false;
    synth_start(one->ready, 0);
    synth_render(backend_best(), one->ready, events, voice_events(one, events), out, 1);
    return true;
}

static void voice_run(void *context)
{
    struct voice_case *one = context;
    float out[CHUNK_FRAMES * CHANNELS];
    memcpy(one->work, one->ready, synth_bytes());
    for (int i = 0; i < CHUNKS; i++)
        synth_render(backend_best(), one->work, NULL, 0, out, BLOCKS);
}

static void encode_run(void *context)
{
    struct encode_case *one = context;
    const size_t chunk = CHUNK_FRAMES * CHANNELS;
    (void)one->encoder->init(one->state);
    for (int i = 0; i < CHUNKS; i++) {
        const float *now = one->sound + (size_t)(i + 1) * chunk;
        struct encode_input input = {.first_frame = (uint64_t)i * CHUNK_FRAMES, .pcm = now, .before = now - chunk,
                                     .after = now + chunk};
        struct encode_output encoded = {.bytes = one->bytes};
        (void)one->encoder->encode(one->state, &input, &encoded);
    }
}

static double chunk_us(uint64_t ns)
{
    return (double)ns / 1e3 / CHUNKS;
}

static void units_report_cost(struct bench_output *output, const char *name, double least_us, double median_us)
{
    bench_best(output, least_us, median_us, "us a chunk", NULL, "%s", name);
    bench_best(output, 1e5 / least_us, 1e5 / median_us, "x real time", NULL, "%s", name);
}

static void units_report_voices(struct bench_output *output, const struct bench_case *cases)
{
    double base_least = chunk_us(cases[0].least_ns), base_median = chunk_us(cases[0].median_ns);
    units_report_cost(output, "reverb and mastering", base_least, base_median);
    for (int i = 0; i < INSTRUMENT_COUNT; i++) {
        int lanes = instrument_lanes((enum instrument)i);
        double least = (chunk_us(cases[1 + i].least_ns) - base_least) / lanes;
        double median = (chunk_us(cases[1 + i].median_ns) - base_median) / lanes;
        units_report_cost(output, cases[1 + i].name, least, median);
    }
}

static enum status units_voices(struct bench_output *output)
{
    struct voice_case contexts[1 + INSTRUMENT_COUNT] = {0};
    struct bench_case cases[1 + INSTRUMENT_COUNT];
    bool good = voice_prepare(&contexts[0], INSTRUMENT_PAD, 0);
    for (int i = 0; i < INSTRUMENT_COUNT; i++)
        good = voice_prepare(&contexts[1 + i], (enum instrument)i, instrument_lanes((enum instrument)i)) && good;
    for (int i = 0; i < 1 + INSTRUMENT_COUNT; i++) {
        cases[i] = (struct bench_case){.run = voice_run, .context = &contexts[i]};
        if (i > 0)
            snprintf(cases[i].name, sizeof cases[i].name, "%s voice", instrument_name((enum instrument)(i - 1)));
    }
    if (good) {
        bench_measure(cases, 1 + INSTRUMENT_COUNT, REPEATS);
        units_report_voices(output, cases);
    }
    for (int i = 0; i < 1 + INSTRUMENT_COUNT; i++) {
        free(contexts[i].ready);
        free(contexts[i].work);
    }
    return good ? STATUS_OK : STATUS_MEMORY;
}

static bool encode_prepare(struct encode_case *one, const struct encoder *encoder, const float *sound)
{
    size_t state_bytes = frames_round_up(encoder->state_bytes + 1, ALIGNMENT);
    *one = (struct encode_case){.encoder = encoder, .sound = sound, .bytes = malloc(encoder->max_bytes),
                                .state = aligned_alloc(ALIGNMENT, state_bytes)};
    return one->state && one->bytes;
}

static enum status units_encoders(struct bench_output *output, const float *sound)
{
    struct encode_case contexts[FORMAT_COUNT];
    struct bench_case cases[FORMAT_COUNT];
    bool good = true;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        good = encode_prepare(&contexts[i], encoders[i], sound) && good;
        cases[i] = (struct bench_case){.run = encode_run, .context = &contexts[i]};
        snprintf(cases[i].name, sizeof cases[i].name, "encode %s", format_name((enum format)i));
    }
    if (good)
        bench_measure(cases, FORMAT_COUNT, REPEATS);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (good)
            units_report_cost(output, cases[i].name, chunk_us(cases[i].least_ns), chunk_us(cases[i].median_ns));
        free(contexts[i].state);
        free(contexts[i].bytes);
    }
    return good ? STATUS_OK : STATUS_MEMORY;
}

static enum status units_run(const struct bench_options *options, struct bench_output *output)
{
    struct bench_material material;
    enum status status = bench_material_init(&material, &scenes[0], 1, BENCH_MATERIAL_FRAME);
    if (status != STATUS_OK)
        return status;
    float *sound = malloc((CHUNKS + 2) * CHUNK_FRAMES * CHANNELS * sizeof *sound);
    status = STATUS_MEMORY;
    if (sound) {
        bench_material_rewind(&material);
        programme_render(material.work, &material.program, backend_best(), sound, (CHUNKS + 2) * CHUNK_FRAMES);
        status = units_voices(output);
    }
    if (status == STATUS_OK)
        status = units_encoders(output, sound);
    free(sound);
    bench_material_finish(&material);
    return status;
}

const struct bench bench_units = {"units", "voices (what one adds), reverb with mastering, encoders, at the best level",
                                  units_run};
