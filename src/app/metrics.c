#include "app/metrics.h"

#include <math.h>
#include <string.h>

#include "base/frames.h"
#include "os/file.h"

struct metrics_buckets {
    double unit_ns;          // one unit of the bounds and of the sum
    int count;
    double bounds[14];
};

static const struct metrics_buckets metrics_seconds = {
    1e9, 14, {.00025, .0005, .001, .0025, .005, .01, .02, .035, .05, .1, .25, .5, 1, 2.5}};
static const struct metrics_buckets metrics_lead_seconds = {1e9, 11, {0, .1, .5, 1, 2, 4, 6, 8, 10, 20, 60}};
static const struct metrics_buckets metrics_jitter_ms = {1e6, 10, {1, 2, 5, 10, 20, 30, 50, 75, 100, 200}};

static const char *const metrics_protocols[] = {"v2", "v1", "v0"};
static const char *const metrics_refusals[] = {"full", "address", "attempts", "token", "request", "rate", "sockets",
                                               "memory", "failed"};
static const char *const metrics_directions[] = {"down", "up"};
static const char *const metrics_closings[] = {"slow", "policy", "protocol", "failed"};
static const char *const metrics_failures[] = {
    [RENDER_ERROR] = "error", [RENDER_DEADLINE] = "deadline", [RENDER_NONFINITE] = "nonfinite"};
static const char *const metrics_sockets[] = {"http", "websocket"};
enum { METRICS_REFUSALS = 9, METRICS_CLOSINGS = 4, METRICS_SOCKETS = 2 };

static const atomic_uint_fast64_t *metrics_refusal(const struct stream_stats *stream, const struct net_stats *net,
                                                   int i)
{
    return (const atomic_uint_fast64_t *[]){&stream->refused_full, &stream->refused_address, &stream->refused_attempts,
                                            &stream->refused_token, &stream->refused_request, &net->refused_by_rate,
                                            &net->refused_by_address, &stream->refused_memory,
                                            &stream->refused_failed}[i];
}

static const atomic_uint_fast64_t *metrics_closing(const struct stream_stats *stream, int i)
{
    return (const atomic_uint_fast64_t *[]){&stream->closed_slow, &stream->closed_policy, &stream->closed_protocol,
                                            &stream->closed_failed}[i];
}

static const atomic_int *metrics_socket(const struct net_stats *net, int i)
{
    return (const atomic_int *[]){&net->open_http, &net->open_connections}[i];
}

static double metrics_uptime_s(const struct app *app)
{
    return (double)(clock_now_ns(&app->clock) - app->started_ns + 1) / 1e9;
}

static double metrics_headroom(const struct app *app)
{
    uint64_t bytes = atomic_load(&app->warden.headroom_bytes);
    return bytes == UINT64_MAX ? INFINITY : (double)bytes;
}

static const struct histogram *metrics_encoding(const struct station_stats *station, struct histogram *scratch)
{
    histogram_init(scratch);
    for (int format = 0; format < FORMAT_COUNT; format++)
        histogram_merge(scratch, &station->encode_ns[format]);
    return scratch;
}

static const struct histogram *metrics_lateness(const struct app *app, struct histogram *scratch)
{
    stream_lateness(app->stream, scratch);
    return scratch;
}

static void metrics_head(struct text *text, const char *name, const char *kind, const char *help)
{
    text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void metrics_number(struct text *text, const char *name, const char *kind, const char *help, double value)
{
    metrics_head(text, name, kind, help);
    text_printf(text, "%s %.15g\n", name, value);
}

static void metrics_histogram(struct text *text, const char *name, const char *help,
                              const struct metrics_buckets *buckets, const struct histogram *histogram)
{
    metrics_head(text, name, "histogram", help);
    for (int i = 0; i < buckets->count; i++)
        text_printf(text, "%s_bucket{le=\"%g\"} %llu\n", name, buckets->bounds[i],
                    (unsigned long long)histogram_count_within(histogram,
                                                               (uint64_t)(buckets->bounds[i] * buckets->unit_ns)));
    unsigned long long count = atomic_load(&histogram->count);
    text_printf(text, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name, count, name,
                (double)atomic_load(&histogram->sum_ns) / buckets->unit_ns, name, count);
}

void metrics_write(const struct app *app, struct text *text)
{
    const struct station_stats *station = station_stats(app->station);
    const struct stream_stats *stream = stream_stats(app->stream);
    const struct net_stats *net = net_stats(app->net);
    const bool legacy = strcmp(app->options.legacy_metrics, "on") == 0;
    struct histogram scratch;

#define METRIC_COUNTER(name, help, value) metrics_number(text, #name, "counter", help, (double)(value));
#define METRIC_GAUGE(name, help, value) metrics_number(text, #name, "gauge", help, (double)(value));
#define METRIC_HISTOGRAM(name, help, buckets, histogram) metrics_histogram(text, #name, help, &buckets, histogram);
#define METRIC_LABELLED(name, kind, help, label, label_count, label_value, value)                       \
    metrics_head(text, #name, #kind, help);                                                             \
    for (int i = 0; i < label_count; i++)                                                               \
        text_printf(text, "%s{%s=\"%s\"} %.15g\n", #name, label, label_value, (double)(value));
#define METRIC_LEGACY_COUNTER(...) if (legacy) METRIC_COUNTER(__VA_ARGS__)
#define METRIC_LEGACY_GAUGE(...) if (legacy) METRIC_GAUGE(__VA_ARGS__)
#define METRIC_LEGACY_HISTOGRAM(...) if (legacy) METRIC_HISTOGRAM(__VA_ARGS__)
#define METRIC_LEGACY_LABELLED(...) if (legacy) { METRIC_LABELLED(__VA_ARGS__) }
#include "app/metrics.def"
}
