// `auralis ear`: renders scenes and prints what the ear says of them as they leave the mastering, or as listeners hear
// them, with no file between.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "os/clock.h"
#include "os/thread.h"
#include "tools/arguments.h"
#include "tools/click_watch.h"
#include "tools/heard.h"
#include "tools/measure_report.h"
#include "tools/outcome.h"
#include "tools/progress.h"
#include "tools/score_file.h"
#include "tools/segments.h"
#include "tools/tools.h"

enum { FAILURE_BYTES = 512, NAME_BYTES = 64, EAR_SOFT_LUFS = -20 };

struct ear_options {
    struct argument_list scenes, seeds;
    double start_s, duration_s;
    int64_t threads;
    bool decoded, distances, json, gates, quiet;
};

#define AT(field) offsetof(struct ear_options, field)
static const struct argument ear_arguments[] = {
    {.name = "scene", .kind = ARGUMENT_LIST, .offset = AT(scenes), .value = "NAME",
     .help = "which; all of them if none is given"},
    {.name = "seed", .kind = ARGUMENT_LIST, .offset = AT(seeds), .value = "N",
     .help = "each scene with this seed; 1 if none is given"},
    {.name = "start", .kind = ARGUMENT_NUMBER, .offset = AT(start_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e9, .help = "seconds into the programme, in tenths"},
    {.name = "duration", .kind = ARGUMENT_NUMBER, .offset = AT(duration_s), .value = "S", .standard = "600", .min = 1,
     .max = 1e6, .help = "seconds of each, in tenths"},
    {.name = "threads", .kind = ARGUMENT_INTEGER, .offset = AT(threads), .value = "N", .standard = "0", .min = 0,
     .max = 256, .help = "threads, of use from ten minutes on; 0: one a processor"},
    {.name = "decoded", .kind = ARGUMENT_FLAG, .offset = AT(decoded),
     .help = "as listeners hear them, through Opus at 128 kb/s; on one thread"},
    {.name = "distances", .kind = ARGUMENT_FLAG, .offset = AT(distances),
     .help = "tell how far they are from one another"},
    {.name = "gates", .kind = ARGUMENT_FLAG, .offset = AT(gates), .help = "exit with 1 when a gate is not kept"},
    {.name = "json", .kind = ARGUMENT_FLAG, .offset = AT(json), .help = "an array with an object for each"},
    {.name = "quiet", .kind = ARGUMENT_FLAG, .offset = AT(quiet), .help = "show no progress"},
};

static const struct argument_table ear_table = {
    "auralis ear [options]",
    "Renders scenes and prints the quality card of each, by the limits that it declares. A click where a note "
    "begins sharply is none.",
    ear_arguments, sizeof ear_arguments / sizeof *ear_arguments};

// One scene with one seed.
struct ear_piece {
    char name[NAME_BYTES];
    const struct scene *scene;
    uint64_t seed;
    uint64_t notes;        // that began
    double voices;         // that are held at a time, in the mean
    double took_s;
};

struct ear {
    struct ear_options options;
    uint64_t first_frame, end_frame;
    struct ear_piece *pieces;
    struct measure_piece *cards;     // of the same piece each
    int count;
    int bad;                         // gates not kept
    struct clock clock;
    struct progress progress;
};

// A piece while it is listened to.
struct ear_pass {
    struct ear *ear;
    struct ear_piece *piece;
    const struct program *program;
    struct card_meter *meter;
    double held_frames;      // summed over all notes, within the stretch
};

// What is asked of a scene: what it declares, or of its decoded sound what is asked of any that is as loud.
static const struct gate_profile *ear_profile(const struct ear *ear, const struct scene *scene)
{
    const struct gate_profile *declared = gates_find(scene->name);
    if (!declared || !ear->options.decoded)
        return declared;
    return gates_find(scene->loudness < EAR_SOFT_LUFS ? "soft-decoded" : "decoded");
}

static enum status ear_add_piece(struct ear *ear, const struct scene *scene, const char *seed, struct text *failure)
{
    struct ear_piece *piece = &ear->pieces[ear->count];
    piece->scene = scene;
    if (!argument_seed(seed, &piece->seed)) {
        text_printf(failure, "--seed: '%.40s' is no number from 0 to 18446744073709551615", seed);
        return STATUS_INVALID;
    }
    const struct gate_profile *profile = ear_profile(ear, scene);
    if (!profile) {
        text_printf(failure, "%s does not declare what it sounds like", scene->name);
        return STATUS_UNSUPPORTED;
    }
    snprintf(piece->name, sizeof piece->name, "%s, seed %s", scene->name, seed);
    ear->cards[ear->count].name = piece->name;
    ear->cards[ear->count++].profile = profile;
    return STATUS_OK;
}

// Every seed of a scene, then the next scene.
static enum status ear_list(struct ear *ear, struct text *failure)
{
    const struct argument_list *names = &ear->options.scenes, *seeds = &ear->options.seeds;
    int scenes_wanted = names->count > 0 ? names->count : scene_count;
    int seeds_wanted = seeds->count > 0 ? seeds->count : 1;
    size_t most = (size_t)(scenes_wanted * seeds_wanted);
    ear->pieces = calloc(most, sizeof *ear->pieces);
    ear->cards = calloc(most, sizeof *ear->cards);
    enum status status = ear->pieces && ear->cards ? STATUS_OK : STATUS_MEMORY;
    for (int i = 0; i < scenes_wanted && status == STATUS_OK; i++) {
        const struct scene *scene = &scenes[i];
        if (names->count > 0)
            status = score_scene(names->items[i], &scene, failure);
        for (int k = 0; k < seeds_wanted && status == STATUS_OK; k++)
            status = ear_add_piece(ear, scene, seeds->count > 0 ? seeds->items[k] : "1", failure);
    }
    return status;
}

// A note counts as held to the end of the stretch, unless it ends by itself before; one that is told to end takes back
// what is left.
static void ear_count_held(struct ear_pass *pass, const struct event *events, int count)
{
    const struct ear *ear = pass->ear;
    for (int i = 0; i < count; i++) {
        uint64_t at = events[i].at_frame > ear->first_frame ? events[i].at_frame : ear->first_frame;
        double left = (double)(ear->end_frame - at);
        if (events[i].kind == EVENT_NOTE_OFF)
            pass->held_frames -= left;
        if (events[i].kind != EVENT_NOTE_ON)
            continue;
        double held = (double)(events[i].at_frame + events[i].note.hold_frames) - (double)at;
        pass->held_frames += events[i].note.hold_frames > 0 && held < left ? held : left;
    }
}

static void ear_count_notes(struct ear_pass *pass, uint64_t from, uint64_t to)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_events(pass->program, from, to, events);
    ear_count_held(pass, events, count);
    for (int i = 0; i < count; i++)
        pass->piece->notes += events[i].kind == EVENT_NOTE_ON;
}

static enum status ear_sink(void *context, uint64_t first_frame, const float *chunk)
{
    struct ear_pass *pass = context;
    uint64_t end = first_frame + CHUNK_FRAMES;
    ear_count_notes(pass, first_frame, end);
    progress_show(&pass->ear->progress, (double)(end - pass->ear->first_frame) / FRAME_RATE);
    return card_meter_add(pass->meter, chunk, CHUNK_FRAMES);
}

// What the score explains is no click.
static void ear_explain_clicks(const struct ear_pass *pass, struct card *card)
{
    size_t count;
    const struct click *clicks = card_meter_clicks(pass->meter, &count);
    struct click_result result = click_watch_explain(pass->program, pass->ear->first_frame, clicks, count);
    card->clicks = (double)result.clicks;
    card->first_click = result.clicks > 0 ? (double)result.first.frame / FRAME_RATE : NAN;
}

static enum status ear_hear(struct ear_pass *pass)
{
    const struct ear *ear = pass->ear;
    struct heard heard;
    float chunk[CHUNK_FRAMES * CHANNELS];
    enum status status = heard_init(&heard, pass->program, backend_best(), ear->first_frame);
    if (status != STATUS_OK)
        return status;
    for (uint64_t at = ear->first_frame; at < ear->end_frame && status == STATUS_OK; at += CHUNK_FRAMES) {
        status = heard_next(&heard, chunk);
        if (status == STATUS_OK)
            status = ear_sink(pass, at, chunk);
    }
    heard_finish(&heard);
    return status;
}

static enum status ear_render(struct ear_pass *pass)
{
    const struct ear *ear = pass->ear;
    struct segments_job job = {
        .program = pass->program, .backend = backend_best(), .first_frame = ear->first_frame,
        .end_frame = ear->end_frame, .block_frames = CHUNK_FRAMES,
        .threads = ear->options.threads ? (int)ear->options.threads : thread_processors(),
    };
    return segments_render(&job, ear_sink, pass);
}

static enum status ear_listen(struct ear_pass *pass, struct card *card)
{
    struct ear *ear = pass->ear;
    struct event sounding[COMPOSE_MAX_EVENTS];
    ear_count_held(pass, sounding, compose_sounding(pass->program, ear->first_frame, sounding));
    uint64_t start_ns = clock_now_ns(&ear->clock);
    double frames = (double)(ear->end_frame - ear->first_frame);
    enum status status = ear->options.decoded ? ear_hear(pass) : ear_render(pass);
    if (status == STATUS_OK)
        status = card_meter_read(pass->meter, card);
    pass->piece->voices = pass->held_frames / frames;
    pass->piece->took_s = (double)(clock_now_ns(&ear->clock) - start_ns) / 1e9;
    if (status == STATUS_OK)
        ear_explain_clicks(pass, card);
    return status;
}

static enum status ear_run_piece(struct ear *ear, int number)
{
    struct ear_piece *piece = &ear->pieces[number];
    struct mood mood = scene_mood(piece->scene);
    struct mood_log log = {0};
    struct program program = {.seed = piece->seed, .log = &log};
    struct ear_pass pass = {.ear = ear, .piece = piece, .program = &program};
    enum status status = mood_log_init(&log, &mood);
    if (status != STATUS_OK)
        return status;
    pass.meter = card_meter_create();
    progress_begin(&ear->progress, PROGRESS_SOUND, (double)(ear->end_frame - ear->first_frame) / FRAME_RATE);
    status = pass.meter ? ear_listen(&pass, &ear->cards[number].card) : STATUS_MEMORY;
    progress_clear(&ear->progress);
    card_meter_destroy(pass.meter);
    mood_log_finish(&log);
    return status;
}

static double ear_minutes(const struct ear *ear)
{
    return (double)(ear->end_frame - ear->first_frame) / FRAME_RATE / 60;
}

static double ear_entropy(const struct ear_piece *piece)
{
    struct mood mood = scene_mood(piece->scene);
    return compose_chord_entropy(&mood);
}

static void ear_print(const struct ear *ear, int number)
{
    const struct ear_piece *piece = &ear->pieces[number];
    measure_print_text(&ear->cards[number], stdout);
    printf("%.1f notes a minute, %.1f held at a time; %.2f bits a change of chord; %.0f x real time\n\n",
           (double)piece->notes / ear_minutes(ear), piece->voices, ear_entropy(piece),
           ear_minutes(ear) * 60 / piece->took_s);
    fflush(stdout);
}

static json_t *ear_json(const struct ear *ear, int number)
{
    const struct ear_piece *piece = &ear->pieces[number];
    json_t *root = measure_json(&ear->cards[number]);
    json_object_set_new(root, "scene", json_string(piece->scene->name));
    json_object_set_new(root, "seed", json_sprintf("%llu", (unsigned long long)piece->seed));
    json_object_set_new(root, "start", json_real((double)ear->first_frame / FRAME_RATE));
    json_object_set_new(root, "notes_per_minute", json_real((double)piece->notes / ear_minutes(ear)));
    json_object_set_new(root, "voices", json_real(piece->voices));
    json_object_set_new(root, "chord_entropy", json_real(ear_entropy(piece)));
    json_object_set_new(root, "times_real_time", json_real(ear_minutes(ear) * 60 / piece->took_s));
    if (ear->options.distances)
        json_object_set_new(root, "distances", measure_json_distances(ear->cards, ear->count, number));
    return root;
}

static enum status ear_run(struct ear *ear, struct text *failure)
{
    enum status status = ear_list(ear, failure);
    for (int i = 0; i < ear->count && status == STATUS_OK; i++) {
        status = ear_run_piece(ear, i);
        if (status != STATUS_OK)
            break;
        ear->bad += gates_count_bad(ear->cards[i].profile, &ear->cards[i].card);
        if (!ear->options.json)
            ear_print(ear, i);
    }
    return status;
}

static void ear_tell(const struct ear *ear)
{
    if (!ear->options.json && ear->options.distances)
        measure_print_distances(ear->cards, ear->count, stdout);
    if (!ear->options.json)
        return;
    json_t *all = json_array();
    for (int i = 0; i < ear->count; i++)
        json_array_append_new(all, ear_json(ear, i));
    measure_json_print(all, stdout);
    json_decref(all);
}

static int ear_main(int argc, char **argv)
{
    struct ear ear = {.count = 0};
    int exit_status;
    if (!arguments_begin(&ear_table, argc, argv, &ear.options, &exit_status))
        return exit_status;
    char words[FAILURE_BYTES];
    struct text failure = text_on(words, sizeof words);
    clock_init(&ear.clock, 1);
    progress_init(&ear.progress, &ear.clock, STDERR_FILENO, ear.options.quiet);
    ear.first_frame = (uint64_t)llround(ear.options.start_s * 10) * CHUNK_FRAMES;
    ear.end_frame = ear.first_frame + (uint64_t)llround(ear.options.duration_s * 10) * CHUNK_FRAMES;
    enum status status = ear_run(&ear, &failure);
    if (status == STATUS_OK)
        ear_tell(&ear);
    free(ear.pieces);
    free(ear.cards);
    int outcome = outcome_tell("ear", status, &failure);
    return outcome != 0 ? outcome : ear.options.gates && ear.bad > 0;
}

const struct tool tool_ear = {"ear", "what there is to hear in the scenes, in figures", ear_main};
