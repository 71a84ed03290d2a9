// Many listeners, then a tenth of them stop reading: what the others notice, how soon those are closed, and what they
// cost until then.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "os/clock.h"
#include "os/file.h"
#include "tools/bench.h"
#include "tools/bench_server.h"

enum { AFTER_S = 30, LINE_LIMIT_MS = 10000, LINE_BYTES = 512, SOCKSTAT_BYTES = 2048 };

// The healthy ones' figures over a time, from windows of a second.
struct stalled_phase {
    double chunks, within_20, within_50;   // weighted by chunks
    double worst_within_50, worst_p99_ms;  // of a window
    double resident_bytes, kernel_bytes;   // the most that was seen
};

struct stalled {
    struct bench_output *output;
    int healthy, stalled;
    double duration_s;
    struct clock clock;
    struct bench_server server;
    struct child listen, stall;
    double first_closed_s, half_closed_s, last_closed_s;  // by the clock; NAN: not yet
    struct stalled_phase before, after;
};

// Memory that the kernel holds for TCP; 0 where it does not tell.
static double kernel_tcp_bytes(void)
{
    char text[SOCKSTAT_BYTES];
    size_t len;
    unsigned long pages;
    if (file_read("/proc/net/sockstat", text, sizeof text, &len) != STATUS_OK)
        return 0;
    const char *tcp = strstr(text, "TCP:"), *mem = tcp ? strstr(tcp, " mem ") : NULL;
    return mem && sscanf(mem, " mem %lu", &pages) == 1 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void phase_add(struct stalled_phase *phase, const json_t *window)
{
    double chunks = bench_number(window, "chunks"), within_50 = bench_number(window, "percent_within_50_ms");
    phase->chunks += chunks;
    phase->within_20 += chunks * bench_number(window, "percent_within_20_ms");
    phase->within_50 += chunks * within_50;
    phase->worst_within_50 = fmin(phase->worst_within_50, within_50);
    phase->worst_p99_ms = fmax(phase->worst_p99_ms, bench_number(window, "p99_ms"));
}

static void phase_measure(struct stalled_phase *phase, const struct bench_server *server)
{
    struct child_cost cost;
    if (child_cost(&server->child, &cost))
        phase->resident_bytes = fmax(phase->resident_bytes, (double)cost.resident_bytes);
    phase->kernel_bytes = fmax(phase->kernel_bytes, kernel_tcp_bytes());
}

// Follows the healthy ones' windows for so many seconds.   look: called about once a second; may be NULL.
static void stalled_follow(struct stalled *stalled, struct stalled_phase *phase, double seconds,
                           void (*look)(struct stalled *stalled))
{
    char line[LINE_BYTES];
    uint64_t begin_ns = clock_now_ns(&stalled->clock);
    *phase = (struct stalled_phase){.worst_within_50 = 100};
    for (double since_s = 0; since_s < seconds;) {
        if (!child_line(&stalled->listen, line, sizeof line, LINE_LIMIT_MS))
            return;
        since_s = (double)(clock_now_ns(&stalled->clock) - begin_ns) / 1e9;
        json_t *window = json_loads(line, 0, NULL);
        if (window)
            phase_add(phase, window);
        phase_measure(phase, &stalled->server);
        json_decref(window);
        if (look)
            look(stalled);
    }
}

static double stalled_now_s(const struct stalled *stalled)
{
    return (double)clock_now_ns(&stalled->clock) / 1e9;
}

// Once a second, so each time may be up to that late.
static void stalled_count_closed(struct stalled *stalled)
{
    double closed = bench_metric(stalled->server.url, "auralis_closed_total{reason=\"slow\"} ");
    if (closed > 0 && isnan(stalled->first_closed_s))
        stalled->first_closed_s = stalled_now_s(stalled);
    if (closed * 2 >= stalled->stalled && isnan(stalled->half_closed_s))
        stalled->half_closed_s = stalled_now_s(stalled);
    if (closed >= stalled->stalled && isnan(stalled->last_closed_s))
        stalled->last_closed_s = stalled_now_s(stalled);
}

// When they stopped reading, as they say themselves. NAN: they have not.
static double stalled_since_s(struct stalled *stalled)
{
    char line[LINE_BYTES];
    if (!child_line(&stalled->stall, line, sizeof line, LINE_LIMIT_MS))
        return NAN;
    json_t *told = json_loads(line, 0, NULL);
    double since_s = bench_number(told, "stalled_ns") / 1e9;
    json_decref(told);
    return since_s;
}

static enum status stalled_connect(struct stalled *stalled)
{
    char healthy[16], few[16], after[16], whole[16];
    snprintf(healthy, sizeof healthy, "%d", stalled->healthy);
    snprintf(few, sizeof few, "%d", stalled->stalled);
    snprintf(after, sizeof after, "%g", BENCH_SETTLE_S + stalled->duration_s);
    snprintf(whole, sizeof whole, "%g", 4 * BENCH_SETTLE_S + stalled->duration_s + AFTER_S);
    const char *const listen[] = {stalled->server.url, "--listeners", healthy, "--settle", "1", "--duration", whole,
                                  "--every", "1", "--decoders", "0", NULL};
    const char *const stall[] = {stalled->server.url, "--listeners", few, "--settle", "1", "--duration", whole,
                                 "--stall-after", after, "--decoders", "0", NULL};
    enum status status = bench_listen_start(&stalled->listen, listen);
    if (status != STATUS_OK)
        return status;
    bench_listen_settled(&stalled->listen);
    status = bench_listen_start(&stalled->stall, stall);
    if (status == STATUS_OK)
        bench_listen_settled(&stalled->stall);
    return status;
}

static void stalled_phase_rows(const struct stalled *stalled, const char *name, const struct stalled_phase *phase)
{
    double chunks = fmax(phase->chunks, 1);
    bench_value(stalled->output, phase->within_20 / chunks, "%", NULL, "%s: within 20 ms", name);
    bench_value(stalled->output, phase->within_50 / chunks, "%", NULL, "%s: within 50 ms", name);
    bench_value(stalled->output, phase->worst_within_50, "%", "of a second", "%s: least within 50 ms", name);
    bench_value(stalled->output, phase->worst_p99_ms, "ms", "of a second", "%s: worst p99", name);
    bench_value(stalled->output, phase->resident_bytes / (1 << 20), "MiB", NULL, "%s: server resident", name);
    bench_value(stalled->output, phase->kernel_bytes / (1 << 20), "MiB", "both ends", "%s: kernel's TCP", name);
}

static void stalled_rows(struct stalled *stalled)
{
    double since_s = stalled_since_s(stalled);
    struct bench_output *output = stalled->output;
    bench_value(output, stalled->healthy, "", NULL, "healthy");
    bench_value(output, stalled->stalled, "", NULL, "stalled");
    stalled_phase_rows(stalled, "before", &stalled->before);
    stalled_phase_rows(stalled, "after", &stalled->after);
    const char *note = "after they stopped reading, counted once a second";
    bench_value(output, stalled->first_closed_s - since_s, "s", note, "the first is closed");
    bench_value(output, stalled->half_closed_s - since_s, "s", note, "half are closed");
    bench_value(output, stalled->last_closed_s - since_s, "s", note, "the last is closed");
    bench_value(output, bench_metric(stalled->server.url, "auralis_listeners{protocol=\"v2\"} "), "", NULL,
                "listeners at the end");
}

static enum status stalled_run(const struct bench_options *options, struct bench_output *output)
{
    const char *last = strrchr(options->listeners, ',');
    int listeners = (int)strtol(last ? last + 1 : options->listeners, NULL, 10);
    if (listeners < 10)
        return STATUS_INVALID;
    struct stalled_phase settling;
    struct stalled stalled = {.output = output, .stalled = listeners / 10, .healthy = listeners - listeners / 10,
                              .duration_s = options->duration_s, .first_closed_s = NAN,
                              .half_closed_s = NAN, .last_closed_s = NAN};
    clock_init(&stalled.clock, 1);
    enum status status = bench_server_start(&stalled.server, listeners);
    if (status != STATUS_OK)
        return status;
    status = stalled_connect(&stalled);
    if (status == STATUS_OK) {
        stalled_follow(&stalled, &settling, BENCH_SETTLE_S, NULL);
        stalled_follow(&stalled, &stalled.before, stalled.duration_s, NULL);
        stalled_follow(&stalled, &stalled.after, AFTER_S, stalled_count_closed);
        stalled_rows(&stalled);
    }
    (void)child_end(&stalled.listen);
    (void)child_end(&stalled.stall);
    bench_server_end(&stalled.server);
    return status;
}

const struct bench bench_stalled = {"stalled", "a tenth of many listeners stop reading", stalled_run};
