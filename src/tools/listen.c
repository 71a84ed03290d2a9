// `auralis listen`: joins a server with one or many listeners, and tells what they met.
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "client/client.h"
#include "client/playout.h"
#include "client/url.h"
#include "encode/encode.h"
#include "os/clock.h"
#include "os/thread.h"
#include "tools/arguments.h"
#include "tools/capture.h"
#include "tools/click_watch.h"
#include "tools/listen_report.h"
#include "tools/listen_window.h"
#include "tools/score_file.h"
#include "tools/sound_file.h"
#include "tools/tools.h"
#include "tools/verify.h"

enum { TROUBLE_BYTES = 200, GAP_FRAMES_MAX = 60 * FRAME_RATE, FILE_MARGIN_S = 600 };

struct listen_options {
    const char *url, *format, *station, *tier, *out;
    int64_t listeners;
    const char *bitrate;
    double duration_s, settle_s, every_s, stall_after_s, change_s, steer_s, clock_speed;
    int64_t decoders;
    const char *ca;
    bool verify, clicks, json, insecure, reconnect;
};

#define AT(field) offsetof(struct listen_options, field)
static const struct argument listen_arguments[] = {
    {.name = "URL", .kind = ARGUMENT_POSITION, .offset = AT(url),
     .help = "http:// or https://HOST:PORT, or ws:// or wss:// with the path and query of one protocol"},
    {.name = "listeners", .kind = ARGUMENT_INTEGER, .offset = AT(listeners), .value = "N", .standard = "1", .min = 1,
     .max = 200000, .help = "how many"},
    {.name = "duration", .kind = ARGUMENT_NUMBER, .offset = AT(duration_s), .value = "S", .standard = "20", .min = .1,
     .max = 1e7, .help = "seconds, from when the last one has connected; Ctrl-C ends it earlier"},
    {.name = "settle", .kind = ARGUMENT_NUMBER, .offset = AT(settle_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e7, .help = "seconds before the duration begins: what comes in them is not timed; with --json a line "
     "tells when they begin"},
    {.name = "every", .kind = ARGUMENT_NUMBER, .offset = AT(every_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e7, .help = "tell the figures of the last S seconds as they go; 0: only at the end"},
    {.name = "stall-after", .kind = ARGUMENT_NUMBER, .offset = AT(stall_after_s), .value = "S", .standard = "0",
     .min = 0, .max = 1e7, .help = "nobody reads any more after S seconds, as behind a network that is gone; 0: "
     "never; with --json a line tells when"},
    {.name = "clock-speed", .kind = ARGUMENT_NUMBER, .offset = AT(clock_speed), .value = "N", .standard = "1",
     .min = .01, .max = 1000, .help = "that of the server; all times are then programme time, the duration as well"},
    {.name = "format", .kind = ARGUMENT_CHOICE, .offset = AT(format), .standard = "opus", .choices = "opus|pcm|v0|v1",
     .help = "protocol v2 with Opus or PCM, or an old protocol"},
    {.name = "bitrate", .kind = ARGUMENT_CHOICE, .offset = AT(bitrate), .choices = "128|64|32",
     .help = "kb/s of Opus at most, with protocol v2"},
    {.name = "change", .kind = ARGUMENT_NUMBER, .offset = AT(change_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e6, .help = "with Opus: ask for another bit rate every so many seconds; 0: never"},
    {.name = "steer", .kind = ARGUMENT_NUMBER, .offset = AT(steer_s), .value = "S", .standard = "0", .min = 0,
     .max = 1e6, .help = "with protocol v2: turn the intensity every so many seconds, and tell how soon all hear it; "
     "0: never"},
    {.name = "reconnect", .kind = ARGUMENT_FLAG, .offset = AT(reconnect),
     .help = "with protocol v2: who is lost, or hears nothing for a second and a half, comes back and resumes"},
    {.name = "station", .kind = ARGUMENT_TEXT, .offset = AT(station), .value = "NAME",
     .help = "which one, with protocol v2; without it the server's first"},
    {.name = "tier", .kind = ARGUMENT_CHOICE, .offset = AT(tier), .choices = "minimal|normal|stable|defensive",
     .help = "buffer tier asked for, with v1"},
    {.name = "verify", .kind = ARGUMENT_FLAG, .offset = AT(verify),
     .help = "render from the server's seed and log, and compare every chunk of every listener"},
    {.name = "clicks", .kind = ARGUMENT_FLAG, .offset = AT(clicks),
     .help = "look for clicks in what the first listener hears; with --format pcm"},
    {.name = "decoders", .kind = ARGUMENT_INTEGER, .offset = AT(decoders), .value = "N", .standard = "10", .min = 0,
     .max = 200000, .help = "so many listeners decode what they get, the others count it"},
    {.name = "out", .kind = ARGUMENT_TEXT, .offset = AT(out), .value = "FILE",
     .help = "what the first listener hears: NAME.wav or NAME.flac, or NAME.opus with v2"},
    {.name = "ca", .kind = ARGUMENT_TEXT, .offset = AT(ca), .value = "FILE",
     .help = "certificates (PEM) to trust in place of the system's"},
    {.name = "insecure", .kind = ARGUMENT_FLAG, .offset = AT(insecure), .help = "take any certificate"},
    {.name = "json", .kind = ARGUMENT_FLAG, .offset = AT(json), .help = "the report as JSON"},
};

static const struct argument_table listen_table = {
    "auralis listen [options] URL",
    "Joins a server with one or many listeners and tells what they met. Exit status 1 if anybody was refused or lost, "
    "or anything was missing, broken or different.",
    listen_arguments, sizeof listen_arguments / sizeof *listen_arguments};

struct listen {
    struct listen_options options;
    enum client_protocol protocol;
    struct client_report report, probe;
    struct capture capture;
    struct verify_result verify;
    struct listen_window window;
    struct click_watch watch;
    struct click_result clicks;
    struct sound_file *file;
    struct playout *playout;         // v2
    uint64_t heard_until;            // v2: the playhead when a chunk came last
    uint64_t file_next;              // v2: frame that comes next in the file
    size_t file_skip;                // frames that are still to be dropped
    bool file_begun, progress;
    enum status kept;                // first failure to keep what came
    char trouble[TROUBLE_BYTES];
};

static bool listen_is_legacy(const struct listen *listen)
{
    return listen->protocol == CLIENT_V0 || listen->protocol == CLIENT_V1;
}

static enum client_protocol listen_protocol(const char *format)
{
    static const struct { const char *name; enum client_protocol protocol; } protocols[] = {
        {"opus", CLIENT_OPUS}, {"pcm", CLIENT_PCM}, {"v0", CLIENT_V0}, {"v1", CLIENT_V1}};
    int i = 0;
    while (strcmp(protocols[i].name, format) != 0)
        i++;
    return protocols[i].protocol;
}

// Silence for what is missing, so that time stays right.
static enum status listen_write_gap(struct listen *listen, uint64_t frames)
{
    static const float silence[CHUNK_FRAMES * CHANNELS];
    enum status status = STATUS_OK;
    for (uint64_t left = frames < GAP_FRAMES_MAX ? frames : GAP_FRAMES_MAX; left > 0 && status == STATUS_OK;) {
        uint64_t take = left < CHUNK_FRAMES ? left : CHUNK_FRAMES;
        status = sound_file_write(listen->file, silence, take);
        left -= take;
    }
    return status;
}

// The file begins exactly with the first chunk's first frame: what a decoder gives before that is dropped.
static enum status listen_write(struct listen *listen, uint64_t first_frame, const float *sound, size_t frames)
{
    size_t skip = listen->file_skip < frames ? listen->file_skip : frames;
    enum status status = STATUS_OK;
    if (listen->file_begun && !listen_is_legacy(listen) && first_frame > listen->file_next)
        status = listen_write_gap(listen, first_frame - listen->file_next);
    listen->file_begun = true;
    listen->file_skip -= skip;
    listen->file_next = first_frame + frames;
    if (status != STATUS_OK || skip == frames)
        return status;
    return sound_file_write(listen->file, sound + skip * CHANNELS, frames - skip);
}

static void listen_keep_status(struct listen *listen, enum status status)
{
    if (listen->kept == STATUS_OK)
        listen->kept = status;
}

// What the first listener hears.
static void listen_heard(void *context, uint64_t first_frame, const float *sound, size_t frames)
{
    struct listen *listen = context;
    if (listen->file)
        listen_keep_status(listen, listen_write(listen, first_frame, sound, frames));
    if (listen->options.clicks)
        listen_keep_status(listen, click_watch_add(&listen->watch, first_frame, sound, frames));
}

// Old clients replace nothing, so what comes is what they hear.
static void listen_chunk(void *context, const struct client_chunk *chunk)
{
    struct listen *listen = context;
    listen_window_add(&listen->window, chunk);
    if (listen->options.verify)
        listen_keep_status(listen, capture_add(&listen->capture, chunk));
    if (!listen_is_legacy(listen))
        listen->heard_until = client_live_frame(chunk);
    if (chunk->listener != 0 || !chunk->sound)
        return;
    if (!listen->file_begun && listen->protocol == CLIENT_OPUS && !listen->playout)
        listen->file_skip = listen->report.decoder_delay_frames;
    if (listen_is_legacy(listen)) {
        listen_heard(listen, chunk->first_frame, chunk->sound, (size_t)chunk->sound_frames);
        return;
    }
    if (!listen->playout)
        listen->playout = playout_create(listen_heard, listen);
    listen_keep_status(listen, listen->playout ? playout_add(listen->playout, chunk) : STATUS_MEMORY);
}

static void listen_progress(void *context, double elapsed_s, int connected)
{
    struct listen *listen = context;
    listen_window_look(&listen->window, elapsed_s, connected, stdout);
    if (listen->progress)
        fprintf(stderr, "\r%6.1f s  %d listening ", elapsed_s, connected);
}

// For a program that measures at the same time: a line before the report.
static void listen_settled(void *context, int connected, int failed)
{
    const struct listen *listen = context;
    if (!listen->options.json || listen->options.settle_s <= 0)
        return;
    printf("{\"settled\":true,\"connected\":%d,\"failed\":%d}\n", connected, failed);
    fflush(stdout);
}

// Likewise, with the time by the clock that all processes of a machine share.
static void listen_stalled(void *context)
{
    const struct listen *listen = context;
    struct clock clock;
    if (!listen->options.json)
        return;
    clock_init(&clock, 1);
    printf("{\"stalled_ns\":%llu}\n", (unsigned long long)clock_now_ns(&clock));
    fflush(stdout);
}

// Where the server itself is, without a protocol's path.
static bool listen_base_url(const struct listen *listen, char *out, size_t cap)
{
    struct url url;
    char host[URL_HOST_BYTES];
    if (!url_read(listen->options.url, &url))
        return false;
    url_host(&url, host);
    return snprintf(out, cap, "%s://%s", url.secure ? "https" : "http", host) < (int)cap;
}

static struct client_trust listen_trust(const struct listen *listen)
{
    return (struct client_trust){.insecure = listen->options.insecure, .ca_file = listen->options.ca};
}

static enum status listen_fetch_score(struct listen *listen, const char *base, const char *station,
                                      struct score_file *score, struct text *trouble)
{
    const struct client_trust trust = listen_trust(listen);
    char path[128], *body;
    int http_status;
    size_t len;
    snprintf(path, sizeof path, "/api/stations/%s/log", station);
    enum status status = client_get(base, &trust, path, &http_status, &body, &len);
    if (status != STATUS_OK) {
        text_printf(trouble, "the control log cannot be had: %s", status_text(status));
        return status;
    }
    if (http_status == 200) {
        text_add(trouble, "the control log: ");
        status = score_file_read(score, body, len, trouble);
    } else {
        text_printf(trouble, "the control log cannot be had: HTTP %d", http_status);
        status = STATUS_NOT_FOUND;
    }
    free(body);
    return status;
}

// Frames between which the tracks must lie: heard at the earliest when they were sent, at the latest a lead after.
static void listen_range(const struct listen *listen, const struct score_file *score, uint64_t *from, uint64_t *to)
{
    double first_ms = HUGE_VAL, last_ms = 0, margin_ms = 5000;
    for (int i = 0; i < listen->capture.track_count; i++) {
        const struct capture_track *track = &listen->capture.tracks[i];
        first_ms = track->count > 0 && track->first_due_ms < first_ms ? track->first_due_ms : first_ms;
        last_ms = track->count > 0 && track->last_due_ms > last_ms ? track->last_due_ms : last_ms;
    }
    double from_ms = first_ms - listen->probe.origin_unix_ms - margin_ms;
    double to_ms = last_ms - listen->probe.origin_unix_ms + margin_ms + (double)score->lead_frames / 48;
    *from = from_ms > 0 && from_ms < to_ms ? frames_round_down((uint64_t)(from_ms * 48), CHUNK_FRAMES) : 0;
    *to = to_ms > 0 ? frames_round_up((uint64_t)(to_ms * 48), CHUNK_FRAMES) : 0;
}

static enum status listen_compare(struct listen *listen, const struct score_file *score)
{
    struct program program = {.seed = score->seed, .log = &score->log};
    if (!listen_is_legacy(listen))
        return verify_messages(&listen->capture, listen->heard_until, &program, backend_best(), &listen->verify);
    uint64_t from, to;
    listen_range(listen, score, &from, &to);
    return verify_tracks(&listen->capture, from, to, &program, backend_best(), &listen->verify);
}

static bool listen_same_encoders(const struct listen *listen, struct text *trouble)
{
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++) {
        const char *id = listen->report.encoder_ids[i];
        if (id[0] == '\0' || strcmp(id, encode_opus_id((enum format)i)) == 0)
            continue;
        text_printf(trouble, "packets cannot be compared: the server encodes with %s", id);
        return false;
    }
    return true;
}

// True when a comparison took place.
static bool listen_verify(struct listen *listen, const struct score_file *score, struct text *trouble)
{
    if (!listen_same_encoders(listen, trouble))
        return false;
    enum status status = listen_compare(listen, score);
    if (status != STATUS_OK)
        text_printf(trouble, "the comparison failed: %s", status_text(status));
    return status == STATUS_OK;
}

// True when all that was heard could be looked at.
static bool listen_judge_clicks(struct listen *listen, const struct score_file *score, struct text *trouble)
{
    struct program program = {.seed = score->seed, .log = &score->log};
    enum status status = click_watch_judge(&listen->watch, &program, &listen->clicks);
    if (status != STATUS_OK)
        text_printf(trouble, "clicks could not be looked for: %s", status_text(status));
    return status == STATUS_OK;
}

// What needs the score: comparing what came with it, telling clicks from onsets.
static void listen_check(struct listen *listen, struct listen_summary *summary)
{
    char base[URL_HOST_BYTES + 16];
    struct score_file score;
    struct text trouble = text_on(listen->trouble, sizeof listen->trouble);
    const char *station = listen_is_legacy(listen) ? listen->probe.station : listen->report.station;
    if (!listen_base_url(listen, base, sizeof base) ||
        listen_fetch_score(listen, base, station, &score, &trouble) != STATUS_OK)
        return;
    trouble = text_on(listen->trouble, sizeof listen->trouble);
    if (listen->options.verify && listen_verify(listen, &score, &trouble))
        summary->verify = &listen->verify;
    if (listen->options.clicks && listen_judge_clicks(listen, &score, &trouble))
        summary->clicks = &listen->clicks;
    score_file_finish(&score);
}

// Old protocols do not tell where the programme stands; a v2 listener is told.
static bool listen_probe(struct listen *listen)
{
    char base[URL_HOST_BYTES + 16];
    if (!listen_base_url(listen, base, sizeof base))
        return false;
    struct client_config config = {.url = base, .trust = listen_trust(listen), .protocol = CLIENT_OPUS,
                                   .listeners = 1};
    if (client_run(&config, &listen->probe) == STATUS_OK)
        return true;
    fprintf(stderr, "auralis listen: no v2 listener can connect to learn the programme's time: %s\n",
            listen->probe.failure);
    return false;
}

// The first listener hears more than is asked for: what comes while the others connect, and what comes ahead.
static enum status listen_create_file(struct listen *listen, struct text *trouble)
{
    const struct listen_options *options = &listen->options;
    int rate_hz = listen_is_legacy(listen) ? FORMAT_LEGACY_RATE : FRAME_RATE;
    double most_s = options->settle_s + options->duration_s + FILE_MARGIN_S;
    return sound_file_create(&listen->file, options->out, rate_hz, SOUND_S16, (uint64_t)(most_s * rate_hz), trouble);
}

static bool listen_prepare(struct listen *listen)
{
    const struct listen_options *options = &listen->options;
    struct text trouble = text_on(listen->trouble, sizeof listen->trouble);
    listen_window_init(&listen->window, options->every_s, options->json);
    if (options->verify && listen_is_legacy(listen) && !listen_probe(listen))
        return false;
    enum status status = STATUS_OK;
    if (options->verify)
        status = capture_init(&listen->capture, (int)options->listeners, listen_is_legacy(listen));
    if (options->clicks && status == STATUS_OK)
        status = click_watch_init(&listen->watch);
    if (status != STATUS_OK) {
        fprintf(stderr, "auralis listen: out of memory\n");
        return false;
    }
    if (options->out && listen_create_file(listen, &trouble) != STATUS_OK) {
        fprintf(stderr, "auralis listen: %s\n", listen->trouble);
        return false;
    }
    return true;
}

struct listen_reception {
    struct client_config config;
    struct client_report *report;
    enum status status;
};

static void listen_receive(void *context)
{
    struct listen_reception *reception = context;
    reception->status = client_run(&reception->config, reception->report);
}

// Who times arrivals must not wait for a processor longer than who sends: on the same machine both are of one class.
static enum status listen_run(struct listen *listen)
{
    struct thread thread;
    const struct listen_options *options = &listen->options;
    struct listen_reception reception = {.report = &listen->report, .config = {
        .url = options->url, .trust = listen_trust(listen), .protocol = listen->protocol,
        .station = options->station, .buffer_tier = options->tier,
        .bitrate = options->bitrate ? (uint32_t)atoi(options->bitrate) * 1000 : 0, .change_s = options->change_s,
        .steer_s = options->steer_s, .reconnect = options->reconnect,
        .listeners = (int)options->listeners, .clock_speed = options->clock_speed, .duration_s = options->duration_s,
        .settle_s = options->settle_s, .settled = listen_settled, .stall_after_s = options->stall_after_s,
        .stalled = listen_stalled,
        .chunk = listen_chunk, .decoders = (int)options->decoders, .progress = listen_progress, .context = listen,
    }};
    enum status status = thread_start(&thread, "listen", THREAD_IO, listen_receive, &reception);
    if (status != STATUS_OK)
        return status;
    thread_join(&thread);
    playout_destroy(listen->playout);
    listen->playout = NULL;
    if (listen->progress)
        fprintf(stderr, "\r%40s\r", "");
    return reception.status;
}

static void listen_end_file(struct listen *listen)
{
    char words[TROUBLE_BYTES];
    struct text failure = text_on(words, sizeof words);
    if (listen->file_begun)
        listen_keep_status(listen, sound_file_close(listen->file, &failure));
    else
        sound_file_discard(listen->file, &failure);
    if (listen->kept != STATUS_OK)
        snprintf(listen->trouble, sizeof listen->trouble, "what came could not be kept: %s",
                 failure.len > 0 ? words : status_text(listen->kept));
}

static int listen_conclude(struct listen *listen, enum status run)
{
    struct listen_summary summary = {.format = listen->options.format, .report = &listen->report,
                                     .trouble = listen->trouble};
    if (run == STATUS_OK && (listen->options.verify || listen->options.clicks))
        listen_check(listen, &summary);
    listen_end_file(listen);
    if (listen->options.json)
        listen_print_json(&summary, stdout);
    else if (listen->report.connected == 0)
        fprintf(stderr, "auralis listen: %s: %s\n", listen->options.url, listen->report.failure);
    else
        listen_print_text(&summary, stdout);
    return listen_all_well(&summary) ? 0 : 1;
}

static int listen_all(struct listen *listen)
{
    listen->protocol = listen_protocol(listen->options.format);
    listen->progress = isatty(STDERR_FILENO);
    if (listen->options.clicks && listen->protocol != CLIENT_PCM) {
        fprintf(stderr, "auralis listen: --clicks needs --format pcm\n");
        return 2;
    }
    if (!listen_prepare(listen))
        return 1;
    enum status status = listen_run(listen);
    if (status != STATUS_INVALID)
        return listen_conclude(listen, status);
    fprintf(stderr, "auralis listen: '%s' is no http://, https://, ws:// or wss:// address\n", listen->options.url);
    return 2;
}

static int listen_main(int argc, char **argv)
{
    struct listen *listen = calloc(1, sizeof *listen);
    int exit_status = 1;
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as a pipe is written
    if (listen && arguments_begin(&listen_table, argc, argv, &listen->options, &exit_status))
        exit_status = listen_all(listen);
    if (listen) {
        capture_finish(&listen->capture);
        click_watch_finish(&listen->watch);
    }
    free(listen);
    return exit_status;
}

const struct tool tool_listen = {"listen", "join a server with one or many listeners, measure and verify", listen_main};
