#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "stream/door.h"
#include "stream/listener.h"
#include "stream/steer.h"

enum { STREAM_CACHE_LINE = 64 };

#define STREAM_LATE_NS (5 * NS_PER_MS)

static enum status stream_claim(struct stream *stream)
{
    const struct stream_config *config = &stream->config;
    const struct admission_limits limits = {
        .max_open = config->max_per_address,
        .max_a_minute = {[ADMISSION_V2] = config->max_attempts_v2, [ADMISSION_LEGACY] = config->max_attempts_legacy,
                         [ADMISSION_RANGES] = STREAM_RANGE_CHUNKS_A_MINUTE},
        .limit_loopback = config->limit_loopback,
    };
    size_t stations_bytes = (size_t)config->station_count * sizeof *config->stations;
    struct stream_station *stations = malloc(stations_bytes);
    if (stations)
        memcpy(stations, config->stations, stations_bytes);
    stream->config.stations = stations;
    stream->admission = admission_create(&limits, config->max_listeners);
    enum status status = slab_init(&stream->places, (uint32_t)config->max_listeners, sizeof(struct listener));
    stream->silence = malloc(FORMAT_LEGACY_BASE64_BYTES + 1);
    if (!stations || !stream->admission || status != STATUS_OK || !stream->silence)
        return STATUS_MEMORY;
    memset(stream->silence, 'A', FORMAT_LEGACY_BASE64_BYTES);
    stream->silence[FORMAT_LEGACY_BASE64_BYTES] = '\0';
    return STATUS_OK;
}

enum status stream_create(struct stream **stream, const struct stream_config *config)
{
    struct stream *made = calloc(1, sizeof *made);
    if (!made)
        return STATUS_MEMORY;
    made->config = *config;
    atomic_init(&made->lead_limit_frames, UINT64_MAX);
    closings_init(&made->closings);
    histogram_init(&made->stats.jitter_ns);
    histogram_init(&made->stats.player_lead_ns);
    enum status status = stream_claim(made);
    if (status == STATUS_OK)
        status = wishes_create(&made->wishes);
    if (status != STATUS_OK) {
        stream_destroy(made);
        return status;
    }
    *stream = made;
    return STATUS_OK;
}

static void stream_loop_finish(struct stream_loop *loop)
{
    if (loop->answers.cells)
        steer_forget(loop);
    queue_finish(&loop->answers);
    joins_finish(&loop->joins);
    free(loop->told);
}

void stream_destroy(struct stream *stream)
{
    if (!stream)
        return;
    wishes_destroy(stream->wishes);
    for (int i = 0; i < stream->loop_count; i++)
        stream_loop_finish(&stream->loops[i]);
    free(stream->loops);
    slab_finish(&stream->places);
    free(stream->silence);
    free((void *)(uintptr_t)stream->config.stations);
    admission_destroy(stream->admission);
    closings_finish(&stream->closings);
    free(stream);
}

static bool stream_loop_init(struct stream_loop *loop, struct stream *stream, int index)
{
    *loop = (struct stream_loop){.stream = stream, .index = index, .wake_ns = UINT64_MAX};
    schedule_init(&loop->schedule, clock_now_ns(stream->config.clock));
    budget_init(&loop->budget, stream->config.burst_chunks_per_second);
    histogram_init(&loop->lateness_ns);
    loop->told = calloc((size_t)stream->config.station_count * TOLD_KINDS, sizeof *loop->told);
    return loop->told && joins_init(&loop->joins) == STATUS_OK &&
           queue_init(&loop->answers, sizeof(struct steering *), STEER_WAITING) == STATUS_OK;
}

static void stream_on_splice(void *context)
{
    struct stream *stream = context;
    struct net_server *server = atomic_load(&stream->server);
    for (int i = 0; server && i < stream->loop_count; i++) {
        atomic_store(&stream->loops[i].spliced, true);
        net_wake_at(server, i, clock_now_ns(stream->config.clock));
    }
}

void stream_attach(struct stream *stream, struct net_server *server)
{
    int count = net_loops(server);
    stream->loops = calloc((size_t)count, sizeof *stream->loops);
    for (int i = 0; stream->loops && i < count; i++) {
        stream->loop_count = i + 1;
        if (!stream_loop_init(&stream->loops[i], stream, i)) {
            log_error("no memory for listeners: nobody can listen");
            return;
        }
    }
    if (stream->loops)
        atomic_store(&stream->server, server);
    for (int i = 0; i < stream->config.station_count; i++)
        timeline_on_splice(stream->config.stations[i].timeline, stream_on_splice, stream);
}

void stream_detach(struct stream *stream)
{
    for (int i = 0; i < stream->config.station_count; i++)
        timeline_on_splice(stream->config.stations[i].timeline, NULL, NULL);
    wishes_end(stream->wishes);
}

// A turn of a loop is over: whatever was served, by its time or by what came.
static void stream_turn_over(struct stream_loop *loop)
{
    struct stream_stats *stats = &loop->stream->stats;
    shelf_clear(&loop->shelf);
    for (int i = 0; i < STREAM_PROTOCOLS; i++) {
        if (loop->turn.chunks_sent[i] == 0)
            continue;
        atomic_fetch_add_explicit(&stats->chunks_sent[i], loop->turn.chunks_sent[i], memory_order_relaxed);
        atomic_fetch_add_explicit(&stats->bytes_sent[i], loop->turn.bytes_sent[i], memory_order_relaxed);
        loop->turn.chunks_sent[i] = loop->turn.bytes_sent[i] = 0;
    }
}

static void *stream_open(void *context, int loop, struct connection *connection, const struct net_accept *accept)
{
    struct stream *stream = context;
    struct listener *listener = door_listener(accept);
    if (atomic_load(&stream->drain_until_ns) != 0) {
        door_abandoned(context, accept);
        return NULL;
    }
    listener_open(listener, &stream->loops[loop], connection);
    stream_turn_over(&stream->loops[loop]);
    return listener;
}

static void stream_message(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct listener *listener = context;
    listener_message(listener, opcode, bytes, len);
    stream_turn_over(listener->loop);
}

static void stream_oversized(void *context)
{
    struct listener *listener = context;
    listener_oversized(listener);
    stream_turn_over(listener->loop);
}

static void stream_flooding(void *context)
{
    struct listener *listener = context;
    listener_flooding(listener);
    stream_turn_over(listener->loop);
}

static void stream_writable(void *context)
{
    struct listener *listener = context;
    listener_writable(listener);
    stream_turn_over(listener->loop);
}

static void stream_closed(void *listener, int code)
{
    listener_closed(listener, code);
}

// Once per loop: tells its listeners that the server goes.
static void stream_drain_loop(struct stream_loop *loop, uint64_t now_ns)
{
    loop->draining = true;
    for (struct listener *listener = loop->listeners, *next; listener; listener = next) {
        next = listener->next;
        if (!listener->closing)
            listener->protocol->drain(listener, now_ns);
    }
}

// Thousands of listeners are served once in a delivery, and by then nothing of them is left in the cache. While one's
// bytes go through the kernel, the one after the next is fetched, and the connection of the next, which was fetched
// before.
static void stream_foresee(const struct schedule *schedule)
{
    const struct schedule_entry *next = schedule_next(schedule);
    if (!next)
        return;
    connection_foresee(((const struct listener *)next)->connection);
    for (size_t at = 0; at < LISTENER_STEADY_BYTES; at += STREAM_CACHE_LINE)
        __builtin_prefetch((const char *)next->next + at);
}

// Returns whether the loop is late.
static bool stream_serve_due(struct stream_loop *loop, uint64_t now_ns)
{
    const struct clock *clock = loop->stream->config.clock;
    struct schedule_entry *due;
    bool late = false;
    while ((due = schedule_pop(&loop->schedule, now_ns))) {
        uint64_t serve_ns = clock_now_ns(clock);
        late |= serve_ns > due->due_ns + STREAM_LATE_NS;
        stream_foresee(&loop->schedule);
        listener_serve((struct listener *)due, serve_ns);
    }
    return late;
}

// Those who have waited for a part of a burst: one at a time while the loop is late, so that bursts take what steady
// chunks leave, and still go on.
static void stream_serve_waiting(struct stream_loop *loop, uint64_t now_ns, bool late)
{
    struct budget_entry *waiting;
    do {
        waiting = budget_pop(&loop->budget, now_ns);
        if (waiting)
            listener_granted(waiting, clock_now_ns(loop->stream->config.clock));
    } while (waiting && !late);
}

// What some were sent is out of date: who has some of that is served out of turn.
static void stream_serve_outdated(struct stream_loop *loop)
{
    const struct clock *clock = loop->stream->config.clock;
    for (struct listener *listener = loop->listeners, *next; listener; listener = next) {
        next = listener->next;
        if (listener->protocol->outdated && listener->protocol->outdated(listener))
            listener_serve(listener, clock_now_ns(clock));
    }
}

static uint64_t stream_tick(void *context, int index, uint64_t now_ns)
{
    struct stream *stream = context;
    if (!atomic_load(&stream->server))
        return UINT64_MAX;
    struct stream_loop *loop = &stream->loops[index];
    loop->ticking = true;
    if (!loop->draining && atomic_load(&stream->drain_until_ns) != 0)
        stream_drain_loop(loop, now_ns);
    steer_answer(loop);
    bool late = stream_serve_due(loop, now_ns);
    if (atomic_exchange(&loop->spliced, false))
        stream_serve_outdated(loop);
    stream_serve_waiting(loop, now_ns, late);
    stream_turn_over(loop);
    loop->ticking = false;
    uint64_t schedule_ns = schedule_next_ns(&loop->schedule), budget_ns = budget_next_ns(&loop->budget);
    loop->wake_ns = schedule_ns < budget_ns ? schedule_ns : budget_ns;
    return loop->wake_ns;
}

struct net_handlers stream_handlers(struct stream *stream)
{
    return (struct net_handlers){
        .context = stream,
        .upgrade = door_upgrade,
        .abandoned = door_abandoned,
        .open = stream_open,
        .message = stream_message,
        .oversized = stream_oversized,
        .flooding = stream_flooding,
        .writable = stream_writable,
        .closed = stream_closed,
        .tick = stream_tick,
    };
}

void stream_drain(struct stream *stream, const char *reason, uint64_t drain_ns)
{
    struct net_server *server = atomic_load(&stream->server);
    uint64_t now_ns = clock_now_ns(stream->config.clock);
    snprintf(stream->drain_reason, sizeof stream->drain_reason, "%s", reason);
    stream->drain_period_ns = drain_ns;
    atomic_store(&stream->drain_until_ns, now_ns + drain_ns);
    for (int i = 0; server && i < stream->loop_count; i++)
        net_wake_at(server, i, now_ns);
}

void stream_refuse(struct stream *stream, bool refuse)
{
    atomic_store(&stream->refusing, refuse);
}

void stream_limit_lead(struct stream *stream, uint64_t frames)
{
    atomic_store(&stream->lead_limit_frames, frames);
}

int stream_listeners(const struct stream *stream)
{
    int count = 0;
    for (int i = 0; i < STREAM_PROTOCOLS; i++)
        count += atomic_load(&stream->stats.listeners[i]);
    return count;
}

const struct stream_stats *stream_stats(const struct stream *stream)
{
    return &stream->stats;
}

void stream_lateness(const struct stream *stream, struct histogram *lateness_ns)
{
    histogram_init(lateness_ns);
    if (!atomic_load(&stream->server))    // asked before all loops are there
        return;
    for (int i = 0; i < stream->loop_count; i++)
        histogram_merge(lateness_ns, &stream->loops[i].lateness_ns);
}
