// How the server is doing.
#include <stdlib.h>
#include <string.h>

#include "app/metrics.h"
#include "app/reply.h"
#include "app/routes.h"
#include "base/frames.h"
#include "os/thread.h"

static double system_synthesis_latency_ms(const struct app *app)
{
    return (double)histogram_quantile(&station_stats(app->station)->render_ns, .5) / 1e6;
}

static json_int_t system_buffer_ms(const struct app *app)
{
    return (json_int_t)(app_buffered_frames(app) * 1000 / FRAME_RATE);
}

static json_int_t system_chunks(const struct app *app)
{
    return (json_int_t)atomic_load(&station_stats(app->station)->chunks_rendered);
}

static void system_status(const struct route_call *call)
{
    const struct app *app = call->app;
    struct mood mood = sequencer_mood(app->sequencer);
    json_t *engine =
        json_pack("{s:s, s:{s:s, s:i, s:i}, s:b, s:i, s:I, s:f}", "device_type", "cpu", "device_info", "simd",
                  app->backend->name, "simd_width", app->backend->width, "processors", thread_processors(),
                  "gpu_available", 0, "sample_rate", FRAME_RATE, "render_count", system_chunks(app),
                  "synthesis_latency_ms", system_synthesis_latency_ms(app));
    reply_json(call->response, 200,
               json_pack("{s:s, s:s, s:f, s:o, s:I, s:i, s:I, s:o, s:{s:i, s:i, s:i, s:b}}", "status", "running",
                         "version", AURALIS_VERSION, "uptime_seconds",
                         (double)(clock_now_ns(&app->clock) - app->started_ns) / 1e9, "synthesis_engine", engine,
                         "buffer_depth_ms", system_buffer_ms(app), "active_connections",
                         stream_listeners(app->stream), "chunks_generated", system_chunks(app), "parameters",
                         mood_to_json(&mood), "priorities", "render_nice", app->render_priority.nice, "io_nice",
                         app->io_priority.nice, "door_nice", app->door_priority.nice, "granted",
                         app->render_priority.granted));
}

static void system_metrics_json(const struct route_call *call)
{
    const struct app *app = call->app;
    reply_json(call->response, 200,
               json_pack("{s:I, s:I, s:i, s:I, s:f, s:s}", "timestamp", (json_int_t)reply_timestamp_ms(app),
                         "buffer_depth_ms", system_buffer_ms(app), "active_connections",
                         stream_listeners(app->stream), "chunks_generated", system_chunks(app),
                         "synthesis_latency_ms", system_synthesis_latency_ms(app), "device_type", "cpu"));
}

static json_t *system_memory(const struct app *app)
{
    const struct warden *warden = &app->warden;
    uint64_t headroom = atomic_load(&warden->headroom_bytes);
    return json_pack("{s:s, s:o, s:f}", "pressure", pressure_name((enum pressure_level)atomic_load(&warden->level)),
                     "headroom_bytes", headroom == UINT64_MAX ? json_null() : json_integer((json_int_t)headroom),
                     "lead_seconds", (double)atomic_load(&warden->lead_frames) / FRAME_RATE);
}

// Healthy: the lead is there, or nobody listens, or somebody has only just come. Degraded: less than half of it, memory
// is short, or the renderer is in trouble. Unhealthy: listeners hear, or soon will, nothing.
static void system_health(const struct route_call *call)
{
    const struct app *app = call->app;
    uint64_t buffered = app_buffered_frames(app);
    bool asleep = atomic_load(&station_stats(app->station)->asleep);
    bool ring = asleep || buffered >= CHUNK_FRAMES;
    bool full = asleep || buffered * 2 >= atomic_load(&app->warden.lead_frames);
    uint64_t woken_ns = atomic_load(&station_stats(app->station)->woken_ns);
    uint64_t begun_ns = woken_ns > app->started_ns ? woken_ns : app->started_ns;
    bool starting = clock_now_ns(&app->clock) - begun_ns < 2 * NS_PER_SECOND;
    enum timeline_state state = timeline_state(app->timeline);
    bool engine = (ring || starting) && state != TIMELINE_FAILED;
    bool at_ease = atomic_load(&app->warden.level) == PRESSURE_NONE && full;
    bool healthy = (at_ease || starting) && state == TIMELINE_WELL;
    const char *status = !engine ? "unhealthy" : healthy ? "healthy" : "degraded";
    reply_json(call->response, engine ? 200 : 503,
               json_pack("{s:s, s:I, s:{s:b, s:b, s:b, s:b}, s:o}", "status", status, "timestamp",
                         (json_int_t)reply_timestamp_ms(app), "checks", "synthesis_engine", engine, "ring_buffer",
                         ring, "websocket_server", 1, "gpu_available", 0, "memory", system_memory(app)));
}

static void system_metrics(const struct route_call *call)
{
    enum { METRICS_BYTES = 65536 };
    char *bytes = malloc(METRICS_BYTES);
    if (!bytes) {
        reply_error(call->app, call->response, 503, "Memory is short.", NULL);
        return;
    }
    struct text text = text_on(bytes, METRICS_BYTES);
    metrics_write(call->app, &text);
    http_response_header(call->response, "Cache-Control", "no-store");
    http_respond(call->response, 200, "text/plain; version=0.0.4; charset=utf-8", bytes, text.len);
    free(bytes);
}

const struct route routes_system[] = {
    {"GET", "/api/health", system_health, false},
    {"GET", "/api/metrics", system_metrics_json, false},
    {"GET", "/api/status", system_status, false},
    {"GET", "/metrics", system_metrics, false},
    {0},
};
