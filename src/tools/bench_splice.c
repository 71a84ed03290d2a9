// A change that is heard at once: what a station keeps for it, what it costs to go back, how soon listeners who hold
// the whole lead hear it, and what a slider that is dragged does to everybody else.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/frames.h"
#include "station/programme.h"
#include "tools/bench.h"
#include "tools/bench_server.h"

enum { REPEATS = 15, LEAD_CHUNKS = 100, STORM_S = 30 };

#define ALONE_S 0.7        // from one change to the next: each is over by then
#define DRAGGED_S 0.05     // a slider that is dragged

// A programme some way into its first epoch, and a snapshot of it.
struct material {
    struct mood_log log;
    struct program program;
    struct programme *programme;
    void *saved;
    float pcm[CHUNK_FRAMES * CHANNELS];
};

static void save(void *context)
{
    struct material *material = context;
    programme_save(material->programme, 0, material->saved);
}

static void restore(void *context)
{
    struct material *material = context;
    programme_restore(material->programme, 0, material->saved);
}

static void render_chunks(struct material *material, int chunks)
{
    for (int i = 0; i < chunks; i++)
        programme_render(material->programme, &material->program, backend_best(), material->pcm, CHUNK_FRAMES);
}

static void render_second(void *context)
{
    restore(context);
    render_chunks(context, FRAME_RATE / CHUNK_FRAMES);
}

static void render_lead(void *context)
{
    restore(context);
    render_chunks(context, LEAD_CHUNKS);
}

static enum status splice_of_state(struct bench_output *output)
{
    struct mood mood = mood_default();
    struct material *material = calloc(1, sizeof *material);
    enum status status = material ? mood_log_init(&material->log, &mood) : STATUS_MEMORY;
    if (status != STATUS_OK) {
        free(material);
        return status;
    }
    material->program = (struct program){.seed = 1, .log = &material->log};
    material->programme = aligned_alloc(64, programme_bytes());
    material->saved = aligned_alloc(64, programme_part_bytes());
    if (material->programme && material->saved) {
        programme_start(material->programme, &material->program, 0);
        render_chunks(material, 30 * FRAME_RATE / CHUNK_FRAMES);
        struct bench_case cases[] = {{.name = "take a snapshot", .run = save},
                                     {.name = "go back to it", .run = restore},
                                     {.name = "go back, render a second", .run = render_second},
                                     {.name = "go back, render a lead of 10 s", .run = render_lead}};
        enum { CASES = sizeof cases / sizeof *cases };
        for (int i = 0; i < CASES; i++)
            cases[i].context = material;
        save(material);
        bench_row(output, (double)programme_part_bytes() / 1024, NAN, "KiB", "two such while two chains sound",
                  "a snapshot");
        bench_measure(cases, CASES, REPEATS);
        for (int i = 0; i < CASES; i++)
            bench_row(output, (double)cases[i].least_ns / 1e6, (double)cases[i].median_ns / 1e6, "ms", NULL, "%s",
                      cases[i].name);
    } else {
        status = STATUS_MEMORY;
    }
    free(material->programme);
    free(material->saved);
    mood_log_finish(&material->log);
    free(material);
    return status;
}

static double number_of(const json_t *report, const char *name)
{
    const json_t *value = json_object_get(report, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

// Listeners who hold the whole lead, and one of them who steers so often; 0: nobody does.
struct splice_run {
    int listeners;
    double steer_s, duration_s;
    json_t *report;
    double cpu_s, bytes, splices, splice_p99_ms;
};

static enum status splice_listen(struct splice_run *run, struct bench_server *server)
{
    char listeners[16], duration[16], steer[16], settle[16];
    struct child child;
    struct child_cost before = {0}, after = {0};
    snprintf(listeners, sizeof listeners, "%d", run->listeners);
    snprintf(duration, sizeof duration, "%g", run->duration_s);
    snprintf(settle, sizeof settle, "%d", BENCH_SETTLE_S);
    snprintf(steer, sizeof steer, "%g", run->steer_s);
    const char *const arguments[] = {server->url, "--listeners", listeners, "--settle", settle, "--duration", duration,
                                     "--steer", steer, "--decoders", "0", "--verify", NULL};
    enum status status = bench_listen_start(&child, arguments);
    if (status != STATUS_OK)
        return status;
    bench_listen_settled(&child);
    struct timespec delay = {.tv_sec = BENCH_SETTLE_S};
    nanosleep(&delay, NULL);
    (void)child_cost(&server->child, &before);
    double bytes = bench_metric(server->url, "auralis_audio_sent_bytes_total{protocol=\"v2\"} ");
    double splices = bench_metric(server->url, "auralis_splices_total ");
    delay.tv_sec = (time_t)run->duration_s;
    nanosleep(&delay, NULL);
    (void)child_cost(&server->child, &after);
    run->bytes = bench_metric(server->url, "auralis_audio_sent_bytes_total{protocol=\"v2\"} ") - bytes;
    run->splices = bench_metric(server->url, "auralis_splices_total ") - splices;
    run->cpu_s = (double)(after.cpu_ns - before.cpu_ns) / 1e9;
    run->report = bench_listen_finish(&child);
    return run->report ? STATUS_OK : STATUS_IO;
}

static enum status splice_serve(struct splice_run *run)
{
    struct bench_server server;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%d listeners, a change every %g s ", run->listeners, run->steer_s);
    enum status status = bench_server_start(&server, run->listeners);
    if (status != STATUS_OK)
        return status;
    status = splice_listen(run, &server);
    bench_server_end(&server);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%60s\r", "");
    return status;
}

static void splice_rows(struct bench_output *output, const struct splice_run *run, const char *name)
{
    const json_t *report = run->report, *to_ear = json_object_get(report, "control_to_ear_ms");
    int listeners = run->listeners;
    if (run->steer_s > 0) {
        bench_row(output, number_of(to_ear, "p50"), NAN, "ms", NULL, "%d, %s: control to ear p50", listeners, name);
        bench_row(output, number_of(to_ear, "p99"), NAN, "ms", NULL, "%d, %s: control to ear p99", listeners, name);
        bench_row(output, run->splices, NAN, "", NULL, "%d, %s: splices", listeners, name);
        bench_row(output, number_of(report, "superseded"), NAN, "", NULL, "%d, %s: chunks again", listeners, name);
        bench_row(output, number_of(report, "late_switches"), NAN, "", NULL, "%d, %s: of these late", listeners, name);
    }
    bench_row(output, number_of(report, "gaps") + number_of(report, "mismatches") + number_of(report, "unreplaced") +
                          number_of(report, "stale"), NAN, "", NULL, "%d, %s: gaps or different", listeners, name);
    bench_row(output, 100 * number_of(report, "share_within_50_ms"), NAN, "%", NULL, "%d, %s: due within 50 ms",
              listeners, name);
    bench_row(output, number_of(json_object_get(report, "lateness_ms"), "p99"), NAN, "ms", NULL,
              "%d, %s: lateness p99", listeners, name);
    bench_row(output, 100 * run->cpu_s / run->duration_s, NAN, "% of a core", NULL, "%d, %s: CPU", listeners, name);
    bench_row(output, run->bytes * 8e-3 / run->duration_s / listeners, NAN, "kb/s", NULL, "%d, %s: sent to each",
              listeners, name);
}

static enum status splice_with(struct bench_output *output, int listeners, double steer_s, double duration_s,
                               const char *name)
{
    struct splice_run run = {.listeners = listeners, .steer_s = steer_s, .duration_s = duration_s};
    enum status status = splice_serve(&run);
    if (status == STATUS_OK)
        splice_rows(output, &run, name);
    json_decref(run.report);
    return status;
}

static enum status splice_run(const struct bench_options *options, struct bench_output *output)
{
    enum status status = splice_of_state(output);
    if (status == STATUS_OK)
        status = splice_with(output, 1, ALONE_S, options->duration_s, "changes");
    if (status == STATUS_OK)
        status = splice_with(output, 1000, ALONE_S, options->duration_s, "changes");
    if (status == STATUS_OK)
        status = splice_with(output, 1000, 0, STORM_S, "none");
    if (status == STATUS_OK)
        status = splice_with(output, 1000, DRAGGED_S, STORM_S, "dragged");
    return status;
}

const struct bench bench_splice = {"splice", "a change that is heard at once: state, cost, how soon", splice_run};
