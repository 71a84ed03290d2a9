// What the parts cost: voices, effects with mastering, encoders.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encode.h"
#include "tools/bench.h"
#include "tools/bench_material.h"

enum {
    CHUNKS = 5,
    BLOCKS = CHUNK_FRAMES / CONTROL_FRAMES,
    REPEATS = 15,
    ALIGNMENT = 64,
    VOICE_CASES = 1 + 2 * INSTRUMENT_COUNT,
};

// One chain with so many notes of one instrument; none: effects and mastering alone.
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

// What a note adds to effects and mastering.
static void units_report_voices(struct bench_output *output, const struct bench_case *cases,
                                const struct voice_case *contexts)
{
    double base_least = chunk_us(cases[0].least_ns), base_median = chunk_us(cases[0].median_ns);
    units_report_cost(output, cases[0].name, base_least, base_median);
    for (int i = 1; i < VOICE_CASES; i++) {
        double least = (chunk_us(cases[i].least_ns) - base_least) / contexts[i].notes;
        double median = (chunk_us(cases[i].median_ns) - base_median) / contexts[i].notes;
        units_report_cost(output, cases[i].name, least, median);
    }
}

// None, then each instrument with one note and with as many as it has lanes. Where notes are computed side by side, one
// alone costs more than its share.
static bool units_prepare_voices(struct voice_case *contexts, struct bench_case *cases)
{
    bool good = voice_prepare(&contexts[0], INSTRUMENT_PAD, 0);
    snprintf(cases[0].name, sizeof cases[0].name, "effects and mastering");
    for (int i = 1; i < VOICE_CASES; i++) {
        enum instrument instrument = (enum instrument)((i - 1) / 2);
        int notes = i % 2 ? 1 : instrument_lanes(instrument);
        good = voice_prepare(&contexts[i], instrument, notes) && good;
        snprintf(cases[i].name, sizeof cases[i].name, notes == 1 ? "%s, alone" : "%s, each of %d",
                 instrument_name(instrument), notes);
    }
    return good;
}

static enum status units_voices(struct bench_output *output)
{
    struct voice_case contexts[VOICE_CASES] = {0};
    struct bench_case cases[VOICE_CASES];
    for (int i = 0; i < VOICE_CASES; i++)
        cases[i] = (struct bench_case){.run = voice_run, .context = &contexts[i]};
    bool good = units_prepare_voices(contexts, cases);
    if (good) {
        bench_measure(cases, VOICE_CASES, REPEATS);
        units_report_voices(output, cases, contexts);
    }
    for (int i = 0; i < VOICE_CASES; i++) {
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

const struct bench bench_units = {
    "units", "voices (what a note adds), effects with mastering, encoders, at the best level", units_run};
