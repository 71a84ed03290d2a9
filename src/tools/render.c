// `auralis render`: a stretch of a programme into a file.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "base/hash.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include "score/scene.h"
#include "store/store.h"
#include "tools/arguments.h"
#include "tools/outcome.h"
#include "tools/progress.h"
#include "tools/scala_file.h"
#include "tools/score_file.h"
#include "tools/score_midi.h"
#include "tools/segments.h"
#include "tools/sound_file.h"
#include "tools/tools.h"

enum { LOG_FILE_MAX_BYTES = 256 << 20, FRAME_DIGITS = 15, FAILURE_BYTES = 1024 };

struct render_options {
    uint64_t seed;
    double start_s, duration_s;
    const char *out, *midi, *scene, *scala, *begin, *log, *data_dir, *station, *from, *simd, *format;
    struct argument_list set;
    int64_t threads, block;
    bool hash, quiet;
};

#define AT(field) offsetof(struct render_options, field)
static const struct argument render_arguments[] = {
    {.name = "seed", .kind = ARGUMENT_SEED, .offset = AT(seed), .value = "N", .standard = "1",
     .help = "the programme's seed; with --log and --data-dir its own"},
    {.name = "start", .kind = ARGUMENT_NUMBER, .offset = AT(start_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e9, .help = "seconds into the programme"},
    {.name = "from", .kind = ARGUMENT_TEXT, .offset = AT(from), .value = "FRAME",
     .help = "instead: the first frame, as a server or a link to a moment tells it"},
    {.name = "duration", .kind = ARGUMENT_NUMBER, .offset = AT(duration_s), .value = "S", .standard = "60", .min = .001,
     .max = 1e7, .help = "seconds to render"},
    {.name = "out", .kind = ARGUMENT_TEXT, .offset = AT(out), .value = "FILE",
     .help = "where to: NAME.wav (from 4 GiB on an RF64), NAME.flac or NAME.opus"},
    {.name = "midi", .kind = ARGUMENT_TEXT, .offset = AT(midi), .value = "FILE",
     .help = "the score as a Standard MIDI File, a track for each layer; without --out and --hash nothing else is "
             "made"},
    {.name = "format", .kind = ARGUMENT_CHOICE, .offset = AT(format), .standard = "s16", .choices = "s16|s24|float",
     .help = "samples in a .wav or .flac"},
    {.name = "scene", .kind = ARGUMENT_TEXT, .offset = AT(scene), .value = "NAME",
     .help = "the mood to begin with, drift if not given; `auralis serve --scene list` names them"},
    {.name = "set", .kind = ARGUMENT_LIST, .offset = AT(set), .value = "NAME=VALUE",
     .help = "a parameter of the mood, such as bpm=60"},
    {.name = "scala", .kind = ARGUMENT_TEXT, .offset = AT(scala), .value = "FILE.scl",
     .help = "a scale to be tuned to; the parameter tuning is then scala, if --set does not say otherwise"},
    {.name = "begin", .kind = ARGUMENT_TEXT, .offset = AT(begin), .value = "HH:MM",
     .help = "time of day when the programme begins, for follow_day; noon if not given"},
    {.name = "log", .kind = ARGUMENT_TEXT, .offset = AT(log), .value = "FILE",
     .help = "seed and control log as a server tells them at /api/stations/NAME/log"},
    {.name = "data-dir", .kind = ARGUMENT_TEXT, .offset = AT(data_dir), .value = "DIR",
     .help = "the programme that a server keeps there, with all changes that were made to it; it may be running"},
    {.name = "station", .kind = ARGUMENT_TEXT, .offset = AT(station), .value = "NAME",
     .help = "which one, with --data-dir; main if not given"},
    {.name = "threads", .kind = ARGUMENT_INTEGER, .offset = AT(threads), .value = "N", .standard = "0", .min = 0,
     .max = 256, .help = "threads, of use from ten minutes on; 0: one a processor"},
    {.name = "simd", .kind = ARGUMENT_TEXT, .offset = AT(simd), .value = "LEVEL",
     .help = "scalar, sse2, avx2, avx512 or neon instead of the best"},
    {.name = "block", .kind = ARGUMENT_INTEGER, .offset = AT(block), .value = "FRAMES", .standard = "4800", .min = 1,
     .max = CHUNK_FRAMES, .help = "how much is rendered at a time"},
    {.name = "hash", .kind = ARGUMENT_FLAG, .offset = AT(hash),
     .help = "print a 64-bit hash of the float samples on standard output"},
    {.name = "quiet", .kind = ARGUMENT_FLAG, .offset = AT(quiet), .help = "say nothing but errors"},
};

static const struct argument_table render_table = {
    "auralis render [options] --out FILE | --midi FILE",
    "Renders a stretch of a programme, faster than it plays. The same seed, mood and log give the same samples, "
    "whatever the threads, the SIMD level and the block.",
    render_arguments, sizeof render_arguments / sizeof *render_arguments};

struct render {
    struct render_options options;
    struct score_file score;
    const struct backend *backend;
    uint64_t first_frame, end_frame;   // to the frame
    struct sound_file *file;           // NULL: only the hash is wanted
    uint64_t hash;
    struct clock clock;
    uint64_t start_ns;
    struct progress progress;
};

// What goes wrong is said of the file.
static enum status render_read_log(struct render *render, struct text *failure)
{
    char words[FAILURE_BYTES / 2], *json;
    struct text trouble = text_on(words, sizeof words);
    size_t len;
    enum status status = file_read_whole(render->options.log, LOG_FILE_MAX_BYTES, &json, &len);
    if (status == STATUS_FULL)
        text_printf(&trouble, "it is larger than %d MiB, too large for a control log", LOG_FILE_MAX_BYTES >> 20);
    else if (status == STATUS_OK)
        status = score_file_read(&render->score, json, len, &trouble);
    free(json);
    if (status != STATUS_OK)
        text_printf(failure, "%.400s: %s", render->options.log, trouble.len > 0 ? words : status_text(status));
    return status;
}

// "07:30" -> the head's begin_minute.
static enum status render_begin(const char *begin, struct mood_log *log, struct text *failure)
{
    int hours, minutes, len = 0;
    if (!begin)
        return STATUS_OK;
    if (sscanf(begin, "%2d:%2d%n", &hours, &minutes, &len) != 2 || begin[len] != '\0' || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59) {
        text_printf(failure, "--begin: '%.40s' is no time of day such as 07:30", begin);
        return STATUS_INVALID;
    }
    log->head.begin_minute = hours * 60 + minutes;
    return STATUS_OK;
}

static enum status render_mood(struct render *render, struct text *failure)
{
    const struct scene *scene = &scenes[0];
    enum status status = render->options.scene ? score_scene(render->options.scene, &scene, failure) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    struct mood mood = scene_mood(scene);
    struct mood_log *log = &render->score.log;
    const char *scala = render->options.scala;
    if (scala)
        mood.tuning = TUNING_SCALA;
    status = score_set(&mood, &render->options.set, failure);
    render->score.seed = render->options.seed;
    if (status == STATUS_OK)
        status = mood_log_init(log, &mood);
    if (status == STATUS_OK && scala)
        status = scala_file_read(scala, &log->head.scala, failure);
    return status == STATUS_OK ? render_begin(render->options.begin, log, failure) : status;
}

static enum status render_recall(struct score_file *score, const struct store_station *station,
                                 const struct control_entry *past, size_t count)
{
    enum status status = mood_log_init(&score->log, &station->mood);
    score->seed = station->seed;
    score->log.head = station->head;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = control_append(&score->log, &past[i]);
    return status;
}

// What listeners of a server have heard, and will hear if nothing changes.
static enum status render_read_station(struct render *render, struct text *failure)
{
    const struct render_options *options = &render->options;
    const char *name = options->station ? options->station : "main";
    struct store_station station;
    struct control_entry *past = NULL;
    size_t count;
    enum status status = store_read_station(options->data_dir, name, &station, &past, &count);
    if (status == STATUS_OK)
        status = render_recall(&render->score, &station, past, count);
    free(past);
    if (status == STATUS_NOT_FOUND)
        text_printf(failure, "--data-dir: no server has kept a station '%.40s' in %.200s", name, options->data_dir);
    else if (status != STATUS_OK)
        text_printf(failure, "--data-dir: %.200s: %s", options->data_dir, status_text(status));
    return status;
}

// What contradicts itself is refused, so that nothing that is asked for is left out in silence.
static enum status render_check(const struct render_options *options, struct text *failure)
{
    if (options->log && options->data_dir)
        text_add(failure, "--log and --data-dir: one of them is enough");
    else if (options->station && !options->data_dir)
        text_add(failure, "--station is for --data-dir: say where it is kept");
    else if (options->start_s > 0 && options->from)
        text_add(failure, "--start and --from: one of them is enough");
    else if ((options->log || options->data_dir) &&
             (options->scene || options->scala || options->begin || options->set.count > 0))
        text_printf(failure, "%s brings its own mood: leave --scene, --scala, --begin and --set out",
                    options->log ? "--log" : "--data-dir");
    return failure->len > 0 ? STATUS_INVALID : STATUS_OK;
}

static enum status render_score(struct render *render, struct text *failure)
{
    if (render->options.log)
        return render_read_log(render, failure);
    return render->options.data_dir ? render_read_station(render, failure) : render_mood(render, failure);
}

static enum status render_backend(struct render *render, struct text *failure)
{
    const char *name = render->options.simd;
    render->backend = name ? backend_find(name) : backend_best();
    if (render->backend)
        return STATUS_OK;
    text_printf(failure, "--simd: this machine or build has no '%.20s'; there are", name);
    for (const struct backend *const *at = backend_list(); *at; at++)
        if ((*at)->available())
            text_printf(failure, " %s", (*at)->name);
    return STATUS_UNSUPPORTED;
}

// The score alone is asked for.
static bool render_is_silent(const struct render_options *options)
{
    return options->midi && !options->out && !options->hash;
}

static enum status render_file(struct render *render, struct text *failure)
{
    const struct render_options *options = &render->options;
    if (!options->out && (options->hash || options->midi))
        return STATUS_OK;
    if (!options->out) {
        text_add(failure, "say where to with --out or --midi, or ask for --hash alone");
        return STATUS_INVALID;
    }
    enum sound_depth depth = strcmp(options->format, "s16") == 0   ? SOUND_S16
                             : strcmp(options->format, "s24") == 0 ? SOUND_S24
                                                                   : SOUND_FLOAT;
    enum status status = sound_file_create(&render->file, options->out, FRAME_RATE, depth,
                                           render->end_frame - render->first_frame, failure);
    if (status == STATUS_OK)
        sound_file_guard(render->file);
    return status;
}

static enum status render_midi(const struct render *render, struct text *failure)
{
    struct program program = {.seed = render->score.seed, .log = &render->score.log};
    uint8_t *bytes;
    size_t len;
    if (!render->options.midi)
        return STATUS_OK;
    enum status status = score_midi_bytes(&program, render->first_frame, render->end_frame, &bytes, &len);
    if (status != STATUS_OK)
        return status;
    status = file_write(render->options.midi, (const char *)bytes, len, 0644);
    if (status != STATUS_OK)
        text_printf(failure, "%s: cannot be written: %s", render->options.midi, status_text(status));
    free(bytes);
    return status;
}

static enum status render_sink(void *context, uint64_t first_frame, const float *chunk)
{
    struct render *render = context;
    uint64_t from = first_frame < render->first_frame ? render->first_frame : first_frame;
    uint64_t end = first_frame + CHUNK_FRAMES, to = end > render->end_frame ? render->end_frame : end;
    const float *sound = chunk + (from - first_frame) * CHANNELS;
    size_t frames = (size_t)(to - from);
    uint64_t words[2] = {render->hash, hash_bytes(sound, frames * CHANNELS * sizeof *sound)};
    render->hash = hash_bytes(words, sizeof words);
    progress_show(&render->progress, (double)(to - render->first_frame) / FRAME_RATE);
    return render->file ? sound_file_write(render->file, sound, frames) : STATUS_OK;
}

static enum status render_run(struct render *render)
{
    struct program program = {.seed = render->score.seed, .log = &render->score.log};
    struct segments_job job = {
        .program = &program, .backend = render->backend,
        .first_frame = frames_round_down(render->first_frame, CHUNK_FRAMES),
        .end_frame = frames_round_up(render->end_frame, CHUNK_FRAMES),
        .threads = render->options.threads ? (int)render->options.threads : thread_processors(),
        .block_frames = (int)render->options.block,
    };
    render->start_ns = clock_now_ns(&render->clock);
    progress_begin(&render->progress, PROGRESS_SOUND, (double)(render->end_frame - render->first_frame) / FRAME_RATE);
    return segments_render(&job, render_sink, render);
}

static void render_tell(const struct render *render)
{
    const struct render_options *options = &render->options;
    double took_s = (double)(clock_now_ns(&render->clock) - render->start_ns) / 1e9;
    double sound_s = (double)(render->end_frame - render->first_frame) / FRAME_RATE;
    if (options->hash)
        printf("%016llx\n", (unsigned long long)render->hash);
    if (options->quiet)
        return;
    if (options->midi)
        fprintf(stderr, "%.1f s of score, %s\n", sound_s, options->midi);
    if (!render_is_silent(options))
        fprintf(stderr, "%.1f s of sound in %.1f s: %.0f x real time (%s)%s%s\n", sound_s, took_s, sound_s / took_s,
                render->backend->name, options->out ? ", " : "", options->out ? options->out : "");
}

static enum status render_all(struct render *render, struct text *failure)
{
    enum status status = render_score(render, failure);
    if (status == STATUS_OK)
        status = render_backend(render, failure);
    if (status != STATUS_OK)
        return status;
    status = render_file(render, failure);
    if (status == STATUS_OK)
        status = render_midi(render, failure);
    if (status == STATUS_OK && !render_is_silent(&render->options))
        status = render_run(render);
    progress_clear(&render->progress);
    if (status == STATUS_OK)
        status = sound_file_close(render->file, failure);
    else
        sound_file_discard(render->file, failure);
    return status;
}

// Where it begins and ends.
static enum status render_range(struct render *render, struct text *failure)
{
    const struct render_options *options = &render->options;
    const char *from = options->from;
    render->first_frame = (uint64_t)llround(options->start_s * FRAME_RATE);
    if (from && (strspn(from, "0123456789") != strlen(from) || strlen(from) - 1 >= FRAME_DIGITS)) {
        text_printf(failure, "--from: '%.40s' is no frame, such as 480000", from);
        return STATUS_INVALID;
    }
    if (from)
        render->first_frame = strtoull(from, NULL, 10);
    render->end_frame = render->first_frame + (uint64_t)llround(options->duration_s * FRAME_RATE);
    return STATUS_OK;
}

static int render_main(int argc, char **argv)
{
    struct render render = {0};
    int exit_status;
    if (!arguments_begin(&render_table, argc, argv, &render.options, &exit_status))
        return exit_status;
    char words[FAILURE_BYTES];
    struct text failure = text_on(words, sizeof words);
    clock_init(&render.clock, 1);
    progress_init(&render.progress, &render.clock, STDERR_FILENO, render.options.quiet);
    enum status status = render_check(&render.options, &failure);
    if (status == STATUS_OK)
        status = render_range(&render, &failure);
    if (status == STATUS_OK)
        status = render_all(&render, &failure);
    if (status == STATUS_OK)
        render_tell(&render);
    score_file_finish(&render.score);
    return outcome_tell("render", status, &failure);
}

const struct tool tool_render = {"render", "a stretch of a programme into a sound file", render_main};
