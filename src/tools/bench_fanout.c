// One station to many listeners: how punctual, and what a message costs beside bare loops that send the same bytes to
// as many sockets in the same run: each message by itself, as a server has to that knows nothing better, and as this
// server does, in deliveries.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "os/clock.h"
#include "os/thread.h"
#include "tools/bare_loop.h"
#include "tools/bench.h"
#include "tools/bench_server.h"
#include "wire/delivery.h"

enum {
    BARE_SETTLE_S = 4,
    PCM_LISTENERS = 10,
    LARGEST_S = 20,              // how long each size is tried that looks for the largest
    LARGEST_LIMIT = 200000,
};

// What one party to the comparison did while it was measured.
struct fanout_side {
    json_t *report;              // of its listeners
    double cpu_s;
    double median_s;             // CPU time of the middle one of all seconds: what a busy neighbour does not move
    double messages;             // due in that time
    double resident_bytes, idle_bytes;
};

struct fanout {
    struct bench_output *output;
    int listeners;
    double duration_s;
    struct fanout_side server, bare, bare_deliveries;
    json_t *pcm;                 // report of the PCM listeners
    size_t message_bytes;
};

static void fanout_tell(const struct fanout *fanout, const char *what)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-70s\r%d listeners: %s", "", fanout->listeners, what);
}

static enum status fanout_listen(struct child *child, const char *url, int listeners, const char *format,
                                 double settle_s, double duration_s, bool verify)
{
    char number[16], settle[16], duration[16];
    snprintf(number, sizeof number, "%d", listeners);
    snprintf(settle, sizeof settle, "%g", settle_s);
    snprintf(duration, sizeof duration, "%g", duration_s);
    const char *const arguments[] = {url, "--listeners", number, "--format", format, "--settle", settle, "--duration",
                                     duration, "--decoders", "0", verify ? "--verify" : NULL, NULL};
    return bench_listen_start(child, arguments);
}

static int fanout_by_size(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

// The CPU time of each second, and what is resident at the end. False when the system does not tell.
static bool fanout_seconds(const struct fanout *fanout, const struct child *child, double *each_s, int seconds,
                           struct fanout_side *side)
{
    struct child_cost before, after;
    if (!child_cost(child, &after))
        return false;
    for (int i = 0; i < seconds; i++) {
        before = after;
        bench_sleep(fanout->duration_s / seconds);
        if (!child_cost(child, &after))
            return false;
        each_s[i] = (double)(after.cpu_ns - before.cpu_ns) / 1e9;
        side->cpu_s += each_s[i];
    }
    side->resident_bytes = (double)after.resident_bytes;
    return true;
}

// Reads what a process uses over the time in which its listeners are timed.
static enum status fanout_watch(const struct fanout *fanout, const struct child *child, struct fanout_side *side)
{
    int seconds = (int)fanout->duration_s;
    double *each_s = calloc((size_t)seconds, sizeof *each_s);
    if (!each_s)
        return STATUS_MEMORY;
    bool told = fanout_seconds(fanout, child, each_s, seconds, side);
    qsort(each_s, (size_t)seconds, sizeof *each_s, fanout_by_size);
    side->median_s = each_s[seconds / 2] * seconds / fanout->duration_s;
    side->messages = fanout->listeners * fanout->duration_s * FRAME_RATE / CHUNK_FRAMES;
    free(each_s);
    return told ? STATUS_OK : STATUS_IO;
}

// What the first listener of all costs is the station's, not a listener's.
static void fanout_wake(const char *url)
{
    static const char *const formats[] = {"opus", "pcm"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct child child;
        if (fanout_listen(&child, url, 1, formats[i], 0, 1, false) == STATUS_OK)
            json_decref(bench_listen_finish(&child));
    }
}

// What the server has sent so far.
struct fanout_sent {
    double bytes, chunks;
};

static struct fanout_sent fanout_sent(const struct bench_server *server)
{
    return (struct fanout_sent){bench_metric(server->url, "auralis_audio_sent_bytes_total{protocol=\"v2\"} "),
                                bench_metric(server->url, "auralis_chunks_sent_total{protocol=\"v2\"} ")};
}

// Ten PCM listeners are verified while the others settle, so that they are not among those who are timed.
static enum status fanout_serve(struct fanout *fanout, struct bench_server *server, struct child *listen)
{
    struct child pcm;
    fanout_tell(fanout, "the server: they connect");
    bench_listen_settled(listen);
    fanout_tell(fanout, "the server: they fill up");
    bool heard = fanout_listen(&pcm, server->url, PCM_LISTENERS, "pcm", 0, BENCH_SETTLE_S - 10, true) == STATUS_OK;
    bench_sleep(BENCH_SETTLE_S);
    fanout_tell(fanout, "the server: they are timed");
    struct fanout_sent before = fanout_sent(server);
    enum status status = fanout_watch(fanout, &server->child, &fanout->server);
    struct fanout_sent after = fanout_sent(server);
    fanout->message_bytes = after.chunks > before.chunks
                                ? (size_t)((after.bytes - before.bytes) / (after.chunks - before.chunks)) : 0;
    fanout->server.report = bench_listen_finish(listen);
    fanout->pcm = heard ? bench_listen_finish(&pcm) : NULL;
    return status;
}

static enum status fanout_run_server(struct fanout *fanout)
{
    struct bench_server server;
    struct child listen;
    struct child_cost idle = {0};
    enum status status = bench_server_start(&server, fanout->listeners);
    if (status != STATUS_OK)
        return status;
    fanout_wake(server.url);
    (void)child_cost(&server.child, &idle);
    fanout->server.idle_bytes = (double)idle.resident_bytes;
    status = fanout_listen(&listen, server.url, fanout->listeners, "opus", BENCH_SETTLE_S, fanout->duration_s, true);
    if (status == STATUS_OK)
        status = fanout_serve(fanout, &server, &listen);
    bench_server_end(&server);
    return status;
}

static enum status fanout_run_bare(struct fanout *fanout, uint32_t delivery_frames, struct fanout_side *side)
{
    struct bare_loop bare = {.listeners = fanout->listeners, .threads = thread_processors(),
                             .message_bytes = fanout->message_bytes, .delivery_frames = delivery_frames};
    struct child child, listen;
    char url[BENCH_URL_BYTES];
    int port;
    enum status status = bare_loop_start(&child, &bare, &port);
    if (status != STATUS_OK)
        return status;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    status = fanout_listen(&listen, url, fanout->listeners, "opus", BARE_SETTLE_S, fanout->duration_s, false);
    if (status == STATUS_OK) {
        fanout_tell(fanout, "a bare loop: they connect");
        bench_listen_settled(&listen);
        bench_sleep(BARE_SETTLE_S);
        fanout_tell(fanout, "a bare loop: they are timed");
        status = fanout_watch(fanout, &child, side);
        side->report = bench_listen_finish(&listen);
    }
    (void)child_end(&child);
    return status;
}

static double report_time(const json_t *report, const char *times, const char *name)
{
    return bench_number(json_object_get(report, times), name);
}

__attribute__((format(printf, 5, 6))) static void fanout_row(const struct fanout *fanout, const char *side,
                                                             double value, const char *unit, const char *what, ...)
{
    char words[BENCH_NAME_BYTES];
    va_list args;
    va_start(args, what);
    vsnprintf(words, sizeof words, what, args);
    va_end(args);
    bench_value(fanout->output, value, unit, NULL, "%d, %s: %s", fanout->listeners, side, words);
}

static void fanout_rows_of(const struct fanout *fanout, const char *name, const struct fanout_side *side)
{
    const json_t *report = side->report;
    const char *failure = json_string_value(json_object_get(report, "failure"));
    if (failure && *failure)
        fprintf(stderr, "auralis bench: %d listeners, %s: %s\n", fanout->listeners, name, failure);
    fanout_row(fanout, name, bench_number(report, "connected"), "", "connected");
    fanout_row(fanout, name, bench_number(report, "gaps") + bench_number(report, "lost"), "", "gaps and lost");
    fanout_row(fanout, name, bench_number(report, "chunks_expected") - bench_number(report, "chunks_received"), "",
               "missing");
    fanout_row(fanout, name, 100 * bench_number(report, "share_within_20_ms"), "%", "within 20 ms");
    fanout_row(fanout, name, 100 * bench_number(report, "share_within_50_ms"), "%", "within 50 ms");
    fanout_row(fanout, name, report_time(report, "lateness_ms", "p99"), "ms", "lateness p99");
    fanout_row(fanout, name, report_time(report, "lateness_ms", "p99_9"), "ms", "lateness p99.9");
    fanout_row(fanout, name, report_time(report, "jitter_ms", "p99"), "ms", "jitter p99");
    fanout_row(fanout, name, report_time(report, "loop_lag_ms", "p99"), "ms", "own lag p99");
    fanout_row(fanout, name, 100 * side->cpu_s / fanout->duration_s, "% of a core", "CPU");
    fanout_row(fanout, name, 1e6 * side->cpu_s / side->messages, "us", "CPU a message");
    fanout_row(fanout, name, 1e6 * side->median_s * fanout->duration_s / side->messages, "us",
               "CPU a message, median");
}

static void fanout_rows(const struct fanout *fanout)
{
    const struct fanout_side *server = &fanout->server, *bare = &fanout->bare, *deliveries = &fanout->bare_deliveries;
    const json_t *report = server->report, *pcm = fanout->pcm;
    fanout_rows_of(fanout, "server", server);
    fanout_row(fanout, "server", (server->resident_bytes - server->idle_bytes) / 1024 / fanout->listeners, "KiB",
               "memory a listener");
    fanout_row(fanout, "server", bench_number(report, "verified"), "", "verified");
    fanout_row(fanout, "server", bench_number(report, "mismatches"), "", "different");
    fanout_row(fanout, "server", bench_number(pcm, "verified"), "", "PCM verified");
    fanout_row(fanout, "server", bench_number(pcm, "mismatches") + bench_number(pcm, "gaps"), "",
               "PCM different or gaps");
    fanout_rows_of(fanout, "bare", bare);
    fanout_rows_of(fanout, "bare deliveries", deliveries);
    fanout_row(fanout, "server", server->cpu_s / bare->cpu_s, "x", "CPU of bare");
    fanout_row(fanout, "server", server->median_s / bare->median_s, "x", "CPU of bare, median");
    fanout_row(fanout, "server", server->cpu_s / deliveries->cpu_s, "x", "CPU of bare deliveries");
    fanout_row(fanout, "server", server->median_s / deliveries->median_s, "x",
               "CPU of bare deliveries, median");
}

static enum status fanout_size(struct bench_output *output, int listeners, double duration_s, bool rows, double *share)
{
    struct fanout fanout = {.output = output, .listeners = listeners, .duration_s = duration_s};
    enum status status = fanout_run_server(&fanout);
    if (status == STATUS_OK && rows)
        status = fanout_run_bare(&fanout, CHUNK_FRAMES, &fanout.bare);
    if (status == STATUS_OK && rows)
        status = fanout_run_bare(&fanout, delivery_frames(FORMAT_OPUS, BENCH_LEAD_S * FRAME_RATE),
                                 &fanout.bare_deliveries);
    if (status == STATUS_OK && rows)
        fanout_rows(&fanout);
    *share = fanout.server.report && bench_number(fanout.server.report, "connected") >= listeners
                 ? bench_number(fanout.server.report, "share_within_50_ms") : 0;
    fanout_tell(&fanout, "");
    json_decref(fanout.server.report);
    json_decref(fanout.bare.report);
    json_decref(fanout.bare_deliveries.report);
    json_decref(fanout.pcm);
    return status;
}

// From the largest size on, a fifth more each time, until less than 99 % come within 50 ms.
static enum status fanout_largest(struct bench_output *output, int from)
{
    int largest = from, more = from;
    double share = 1;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && share >= .99 && more <= LARGEST_LIMIT) {
        largest = more;
        more += more / 5 + 1;
        status = fanout_size(output, more, LARGEST_S, false, &share);
    }
    bench_value(output, largest, "listeners", "load generator on the same machine", "99 %% within 50 ms");
    return status;
}

// The next of "10,100,1000".   at: moved behind it. 0 when it is none.
static int fanout_next_size(const char **at)
{
    char *end;
    long size = strtol(*at, &end, 10);
    bool number = **at >= '0' && **at <= '9' && size > 0 && size <= LARGEST_LIMIT;
    bool good = number && (*end == '\0' || (*end == ',' && end[1]));
    *at = *end == ',' ? end + 1 : end;
    return good ? (int)size : 0;
}

static enum status fanout_run(const struct bench_options *options, struct bench_output *output)
{
    enum status status = STATUS_OK;
    int listeners = 0;
    double share = 1;
    for (const char *at = options->listeners; *at;)
        if (fanout_next_size(&at) == 0)
            return STATUS_INVALID;
    for (const char *at = options->listeners; status == STATUS_OK && *at;) {
        listeners = fanout_next_size(&at);
        status = fanout_size(output, listeners, options->duration_s, true, &share);
    }
    return status == STATUS_OK && options->largest && share >= .99 ? fanout_largest(output, listeners) : status;
}

const struct bench bench_fanout = {"fanout", "one station to many listeners, beside a bare loop", fanout_run};
