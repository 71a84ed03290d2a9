// A change that is heard at once: what a station keeps for it, what it costs to go back, how soon listeners who hold
// the whole lead hear it, and what a slider that is dragged does to everybody else.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/frames.h"
#include "tools/bench.h"
#include "tools/bench_material.h"
#include "tools/bench_server.h"

enum { REPEATS = 15, LEAD_CHUNKS = 100, STORM_S = 30 };

#define ALONE_S 0.7        // from one change to the next: each is over by then
#define DRAGGED_S 0.05     // a slider that is dragged

// A programme, and what is saved of it.
struct splice_state {
    struct bench_material material;
    void *saved;
};

static void save(void *context)
{
    struct splice_state *state = context;
    programme_save(state->material.work, 0, state->saved);
}

static void restore(void *context)
{
    struct splice_state *state = context;
    programme_restore(state->material.work, 0, state->saved);
}

static void restore_and_render(struct splice_state *state, int chunks)
{
    float pcm[CHUNK_FRAMES * CHANNELS];
    restore(state);
    for (int i = 0; i < chunks; i++)
        programme_render(state->material.work, &state->material.program, backend_best(), pcm, CHUNK_FRAMES);
}

static void render_second(void *context)
{
    restore_and_render(context, FRAME_RATE / CHUNK_FRAMES);
}

static void render_lead(void *context)
{
    restore_and_render(context, LEAD_CHUNKS);
}

static void state_rows(struct splice_state *state, struct bench_output *output)
{
    struct bench_case cases[] = {{.name = "take a snapshot", .run = save},
                                 {.name = "go back to it", .run = restore},
                                 {.name = "go back, render a second", .run = render_second},
                                 {.name = "go back, render a lead of 10 s", .run = render_lead}};
    enum { CASES = sizeof cases / sizeof *cases };
    for (int i = 0; i < CASES; i++)
        cases[i].context = state;
    save(state);
    bench_value(output, (double)programme_part_bytes() / 1024, "KiB", "two such while two chains sound", "a snapshot");
    bench_measure(cases, CASES, REPEATS);
    for (int i = 0; i < CASES; i++)
        bench_best(output, (double)cases[i].least_ns / 1e6, (double)cases[i].median_ns / 1e6, "ms", NULL, "%s",
                   cases[i].name);
}

static enum status splice_of_state(struct bench_output *output)
{
    struct splice_state state = {.saved = aligned_alloc(64, programme_part_bytes())};
    enum status status = STATUS_MEMORY;
    if (state.saved)
        status = bench_material_init(&state.material, &scenes[0], 1, BENCH_MATERIAL_FRAME);
    if (status == STATUS_OK) {
        bench_material_rewind(&state.material);
        state_rows(&state, output);
        bench_material_finish(&state.material);
    }
    free(state.saved);
    return status;
}

// Listeners who hold the whole lead, and one of them who steers so often; 0: nobody does.
struct splice_run {
    int listeners;
    double steer_s, duration_s;
    json_t *report;
    double cpu_s, bytes, splices;
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
    bench_sleep(BENCH_SETTLE_S);
    (void)child_cost(&server->child, &before);
    double bytes = bench_metric(server->url, "auralis_audio_sent_bytes_total{protocol=\"v2\"} ");
    double splices = bench_metric(server->url, "auralis_splices_total ");
    bench_sleep(run->duration_s);
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
        bench_value(output, bench_number(to_ear, "p50"), "ms", NULL, "%d, %s: control to ear p50", listeners, name);
        bench_value(output, bench_number(to_ear, "p99"), "ms", NULL, "%d, %s: control to ear p99", listeners, name);
        bench_value(output, run->splices, "", NULL, "%d, %s: splices", listeners, name);
        bench_value(output, bench_number(report, "superseded"), "", NULL, "%d, %s: chunks again", listeners, name);
        bench_value(output, bench_number(report, "late_switches"), "", NULL, "%d, %s: of these late", listeners, name);
    }
    double wrong = bench_number(report, "gaps") + bench_number(report, "mismatches") +
                   bench_number(report, "unreplaced") + bench_number(report, "stale");
    bench_value(output, wrong, "", NULL, "%d, %s: gaps or different", listeners, name);
    bench_value(output, 100 * bench_number(report, "share_within_50_ms"), "%", NULL, "%d, %s: due within 50 ms",
                listeners, name);
    bench_value(output, bench_number(json_object_get(report, "lateness_ms"), "p99"), "ms", NULL, "%d, %s: lateness p99",
                listeners, name);
    bench_value(output, 100 * run->cpu_s / run->duration_s, "% of a core", NULL, "%d, %s: CPU", listeners, name);
    bench_value(output, run->bytes * 8e-3 / run->duration_s / listeners, "kb/s", NULL, "%d, %s: sent to each",
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
