// `auralis measure`: what the ear says about sound files.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "tools/arguments.h"
#include "tools/measure_report.h"
#include "tools/outcome.h"
#include "tools/progress.h"
#include "tools/sound_reader.h"
#include "tools/tools.h"

enum { FAILURE_BYTES = 512 };

struct measure_options {
    struct argument_list files;
    const char *profile, *reference;
    double from_s, duration_s;
    bool distances, json, gates, quiet;
};

#define AT(field) offsetof(struct measure_options, field)
static const struct argument measure_arguments[] = {
    {.name = "FILE", .kind = ARGUMENT_REST, .offset = AT(files),
     .help = "WAV, FLAC, Ogg Opus; 48 kHz stereo"},
    {.name = "from", .kind = ARGUMENT_NUMBER, .offset = AT(from_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e7, .help = "seconds into the file"},
    {.name = "duration", .kind = ARGUMENT_NUMBER, .offset = AT(duration_s), .value = "S", .standard = "1e7",
     .min = .001, .max = 1e7, .help = "seconds to measure, to the end if there are fewer"},
    {.name = "profile", .kind = ARGUMENT_TEXT, .offset = AT(profile), .value = "NAME",
     .help = "what is asked of the material: render, decoded, soft, soft-decoded, or what a scene declares; if not "
             "given decoded for what a lossy codec made, else render"},
    {.name = "reference", .kind = ARGUMENT_TEXT, .offset = AT(reference), .value = "FILE",
     .help = "what it should be, sample by sample and as long: a click is a difference"},
    {.name = "distances", .kind = ARGUMENT_FLAG, .offset = AT(distances),
     .help = "tell how far each file is from each other one"},
    {.name = "gates", .kind = ARGUMENT_FLAG, .offset = AT(gates), .help = "exit with 1 when a gate is not kept"},
    {.name = "json", .kind = ARGUMENT_FLAG, .offset = AT(json), .help = "an array with an object for each file"},
    {.name = "quiet", .kind = ARGUMENT_FLAG, .offset = AT(quiet), .help = "show no progress"},
};

static const struct argument_table measure_table = {
    "auralis measure [options] FILE...",
    "Prints a quality card: loudness, peaks, clicks, width, spectrum, motion, and which of them keep to their limits.",
    measure_arguments, sizeof measure_arguments / sizeof *measure_arguments};

// One file being read, and the one it is held against.
struct measure_pass {
    struct sound_reader *reader, *reference;
    struct card_meter *meter;
    uint64_t frames;
    struct progress *progress;
    float sound[CHUNK_FRAMES * CHANNELS], meant[CHUNK_FRAMES * CHANNELS];
};

struct measure {
    struct measure_options options;
    uint64_t from_frame, frames;
    struct clock clock;
    struct progress progress;
    struct measure_piece pieces[ARGUMENT_LIST_MAX];
    int count;
    int bad;                    // gates not kept, in all files
};

static enum status measure_add(struct measure_pass *pass, size_t frames, struct text *failure)
{
    if (!pass->reference)
        return card_meter_add(pass->meter, pass->sound, frames);
    if (sound_reader_read(pass->reference, pass->meant, frames) != frames) {
        text_add(failure, "the reference cannot be read on");
        return STATUS_IO;
    }
    return card_meter_add_pair(pass->meter, pass->sound, pass->meant, frames);
}

static enum status measure_read(struct measure_pass *pass, struct text *failure)
{
    enum status status = STATUS_OK;
    uint64_t done = 0;
    progress_begin(pass->progress, PROGRESS_SOUND, (double)pass->frames / FRAME_RATE);
    while (done < pass->frames && status == STATUS_OK) {
        size_t wanted = pass->frames - done < CHUNK_FRAMES ? (size_t)(pass->frames - done) : CHUNK_FRAMES;
        size_t got = sound_reader_read(pass->reader, pass->sound, wanted);
        if (got > 0)
            status = measure_add(pass, got, failure);
        if (got < wanted && status == STATUS_OK) {
            text_printf(failure, "it cannot be read beyond %.3f s", (double)(done + got) / FRAME_RATE);
            status = STATUS_IO;
        }
        done += got;
        progress_show(pass->progress, (double)done / FRAME_RATE);
    }
    progress_clear(pass->progress);
    return status;
}

// What goes wrong while reading is said of the file.
static enum status measure_run(struct measure_pass *pass, const char *path, struct card *card, struct text *failure)
{
    char words[FAILURE_BYTES];
    struct text trouble = text_on(words, sizeof words);
    pass->meter = card_meter_create();
    enum status status = pass->meter ? measure_read(pass, &trouble) : STATUS_MEMORY;
    if (status == STATUS_OK)
        status = card_meter_read(pass->meter, card);
    else if (trouble.len > 0)
        text_printf(failure, "%s: %s", path, words);
    card_meter_destroy(pass->meter);
    return status;
}

static const struct gate_profile *measure_profile(const struct measure *measure, bool lossy)
{
    const char *name = measure->options.profile;
    return gates_find(name ? name : lossy ? "decoded" : "render");
}

static enum status measure_check_profile(const char *name, struct text *failure)
{
    if (!name || gates_find(name))
        return STATUS_OK;
    text_printf(failure, "--profile: there is no '%.40s'; there are", name);
    for (int i = 0; i < gate_profile_count; i++)
        text_printf(failure, " %s", gate_profiles[i].name);
    return STATUS_INVALID;
}

static uint64_t measure_left(const struct measure *measure, const struct sound_reader *reader)
{
    uint64_t left = sound_reader_frames(reader);
    return left < measure->frames ? left : measure->frames;
}

// The reference has as much as the file: a recording that breaks off, or goes on, is not what it should be.
static enum status measure_check_length(const struct measure *measure, const struct measure_pass *pass,
                                        const char *path, struct text *failure)
{
    if (!pass->reference || measure_left(measure, pass->reference) == pass->frames)
        return STATUS_OK;
    text_printf(failure, "%s: it ends after %.3f s, the reference after %.3f s; --duration measures less", path,
                (double)(measure->from_frame + sound_reader_frames(pass->reader)) / FRAME_RATE,
                (double)(measure->from_frame + sound_reader_frames(pass->reference)) / FRAME_RATE);
    return STATUS_INVALID;
}

static enum status measure_file(struct measure *measure, struct measure_piece *piece, struct text *failure)
{
    const char *reference = measure->options.reference;
    struct measure_pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return STATUS_MEMORY;
    pass->progress = &measure->progress;
    enum status status = sound_reader_open(&pass->reader, piece->name, measure->from_frame, failure);
    if (status == STATUS_OK && reference)
        status = sound_reader_open(&pass->reference, reference, measure->from_frame, failure);
    if (status == STATUS_OK) {
        piece->profile = measure_profile(measure, sound_reader_is_lossy(pass->reader));
        pass->frames = measure_left(measure, pass->reader);
        status = measure_check_length(measure, pass, piece->name, failure);
    }
    if (status == STATUS_OK)
        status = measure_run(pass, piece->name, &piece->card, failure);
    sound_reader_close(pass->reader);
    sound_reader_close(pass->reference);
    free(pass);
    return status;
}

static enum status measure_all(struct measure *measure, struct text *failure)
{
    const struct measure_options *options = &measure->options;
    enum status status = measure_check_profile(options->profile, failure);
    for (int i = 0; i < options->files.count && status == STATUS_OK; i++) {
        struct measure_piece *piece = &measure->pieces[i];
        piece->name = options->files.items[i];
        status = measure_file(measure, piece, failure);
        if (status != STATUS_OK)
            break;
        measure->count++;
        measure->bad += gates_count_bad(piece->profile, &piece->card);
        if (!options->json)
            measure_print_text(piece, stdout);
    }
    return status;
}

static void measure_tell(const struct measure *measure)
{
    const struct measure_options *options = &measure->options;
    if (!options->json && options->distances)
        measure_print_distances(measure->pieces, measure->count, stdout);
    if (!options->json)
        return;
    json_t *all = json_array();
    for (int i = 0; i < measure->count; i++) {
        json_t *piece = measure_json(&measure->pieces[i]);
        if (options->distances)
            json_object_set_new(piece, "distances", measure_json_distances(measure->pieces, measure->count, i));
        json_array_append_new(all, piece);
    }
    measure_json_print(all, stdout);
    json_decref(all);
}

static int measure_main(int argc, char **argv)
{
    struct measure measure = {.count = 0};
    int exit_status;
    if (!arguments_begin(&measure_table, argc, argv, &measure.options, &exit_status))
        return exit_status;
    char words[FAILURE_BYTES];
    struct text failure = text_on(words, sizeof words);
    clock_init(&measure.clock, 1);
    progress_init(&measure.progress, &measure.clock, STDERR_FILENO, measure.options.quiet);
    measure.from_frame = (uint64_t)llround(measure.options.from_s * FRAME_RATE);
    measure.frames = (uint64_t)llround(measure.options.duration_s * FRAME_RATE);
    enum status status = measure_all(&measure, &failure);
    if (status != STATUS_OK)
        return outcome_tell("measure", status, &failure);
    measure_tell(&measure);
    return measure.options.gates && measure.bad > 0;
}

const struct tool tool_measure = {"measure", "what there is to hear in a sound file, in figures", measure_main};
