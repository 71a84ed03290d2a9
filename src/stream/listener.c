#include "stream/listener.h"

#include <stddef.h>

#include "base/check.h"
#include "stream/watch.h"

enum {
    LISTENER_MAX_RATE = 50,          // messages in a second
    LISTENER_MAX_VIOLATIONS = 3,
    LISTENER_TEXT_BYTES = 4096,
};

struct listener *listener_create(struct stream *stream)
{
    struct listener *listener = slab_take(&stream->places);
    if (listener)
        *listener = (struct listener){.stream = stream};
    return listener;
}

void listener_destroy(struct listener *listener)
{
    struct stream *stream = listener->stream;
    check(!listener->entry.next && !listener->joined && listener->pin.sent.count == 0 && listener->wishes == 0);
    slab_give(&stream->places, listener);
}

void listener_release(struct listener *listener)
{
    if (listener->gone && listener->pin.sent.count == 0 && listener->wishes == 0)
        listener_destroy(listener);
}

uint64_t listener_now_ns(const struct listener *listener)
{
    return clock_now_ns(listener->stream->config.clock);
}

uint64_t listener_unix_ns(const struct listener *listener)
{
    return (uint64_t)clock_unix_ns(listener->stream->config.clock);
}

void listener_join(struct listener *listener)
{
    if (!listener->joined)
        timeline_join(listener->station->timeline, listener->format);
    listener->joined = true;
}

static void listener_await_no_more(struct listener *listener)
{
    if (listener->awaiting)
        timeline_leave(listener->station->timeline, listener->awaited);
    listener->awaiting = false;
}

void listener_await(struct listener *listener, enum format format)
{
    if (!listener->joined || (listener->awaiting && listener->awaited == format))
        return;
    listener_await_no_more(listener);
    timeline_join(listener->station->timeline, format);
    listener->awaiting = true;
    listener->awaited = format;
}

void listener_change_format(struct listener *listener, enum format format)
{
    listener_await(listener, format);
    if (listener->joined)
        timeline_leave(listener->station->timeline, listener->format);
    listener->awaiting = false;
    listener->format = format;
}

void listener_leave(struct listener *listener)
{
    listener_await_no_more(listener);
    if (listener->joined)
        timeline_leave(listener->station->timeline, listener->format);
    listener->joined = false;
}

static void listener_wake_loop(struct stream_loop *loop, uint64_t wake_ns)
{
    if (loop->ticking || wake_ns >= loop->wake_ns)
        return;
    loop->wake_ns = wake_ns;
    net_wake_at(atomic_load(&loop->stream->server), loop->index, wake_ns);
}

void listener_wake_at(struct listener *listener, uint64_t now_ns, uint64_t at_ns)
{
    struct stream_loop *loop = listener->loop;
    listener_wake_loop(loop, schedule_set(&loop->schedule, &listener->entry, now_ns, at_ns));
}

void listener_rest(struct listener *listener)
{
    schedule_remove(&listener->loop->schedule, &listener->entry);
    budget_remove(&listener->loop->budget, &listener->burst);
}

void listener_granted(struct budget_entry *burst, uint64_t now_ns)
{
    struct listener *listener = (struct listener *)(void *)((char *)burst - offsetof(struct listener, burst));
    listener->granted = burst->chunks;
    listener_serve(listener, now_ns);
}

bool listener_ask(struct listener *listener, int rank, int chunks, uint64_t now_ns)
{
    struct budget *budget = &listener->loop->budget;
    bool waited = listener->burst.next;
    if (budget_take(budget, &listener->burst, rank, chunks, now_ns)) {
        listener->granted = chunks;
        return true;
    }
    if (!waited)
        atomic_fetch_add_explicit(&listener->stream->stats.burst_waits, 1, memory_order_relaxed);
    listener_wake_loop(listener->loop, budget_next_ns(budget));
    return false;
}

static uint64_t listener_serve_until(struct listener *listener, uint64_t now_ns)
{
    uint64_t end_ns = atomic_load(&listener->stream->drain_until_ns);
    if (end_ns != 0 && now_ns >= end_ns)
        listener_close(listener, 1000, CLOSE_DRAIN, listener->stream->drain_reason);
    if (timeline_state(listener->station->timeline) == TIMELINE_FAILED)
        listener_close(listener, 1011, CLOSE_FAILED, "the station cannot be rendered");
    if (!listener->closing)
        watch(listener, now_ns);
    if (listener->blocked || listener->closing)
        return listener->look_ns;
    return listener->protocol->serve(listener, now_ns);
}

void listener_serve(struct listener *listener, uint64_t now_ns)
{
    if (listener->closing)
        return;
    uint64_t next_ns = listener_serve_until(listener, now_ns);
    if (listener->blocked && next_ns > now_ns + WATCH_NS)
        next_ns = now_ns + WATCH_NS;
    if (!listener->closing)
        listener_wake_at(listener, now_ns, next_ns);
}

uint64_t listener_lead_frames(const struct listener *listener)
{
    uint64_t most = listener->station->lead_frames, limit = atomic_load(&listener->stream->lead_limit_frames);
    return most < limit ? most : limit;
}

void listener_open(struct listener *listener, struct stream_loop *loop, struct connection *connection)
{
    uint64_t now = listener_now_ns(listener);
    listener->loop = loop;
    listener->connection = connection;
    listener->look_ns = now + WATCH_NS;
    listener->pace.lead.frames = listener_lead_frames(listener);
    double speed = listener->stream->config.clock->speed;
    ladder_begin(&listener->ladder, now, frames_to_ns(listener->pace.lead.frames));
    if (speed > 0)
        ladder_set_speed(&listener->ladder, speed);
    listener->next = loop->listeners;
    if (listener->next)
        listener->next->prev = listener;
    loop->listeners = listener;
    phases_add(&loop->phases, listener->pace.phase_frames, listener->pace.delivery_frames);
    atomic_fetch_add(&listener->stream->stats.listeners[listener->protocol->id], 1);
    listener->protocol->greet(listener, now);
    listener_serve(listener, now);
}

void listener_writable(struct listener *listener)
{
    listener->freed |= listener->blocked;
    listener->blocked = false;
    listener_serve(listener, listener_now_ns(listener));
}

// The network closes by itself who breaks its rules, and who leaves no room for texts.
static void listener_count_end(struct listener *listener, int code)
{
    struct stream_stats *stats = &listener->stream->stats;
    atomic_fetch_sub(&stats->listeners[listener->protocol->id], 1);
    if (listener->cause != CLOSE_NONE)
        return;
    bool broken = code == 1002 || code == 1003 || code == 1007 || code == 1009;
    atomic_fetch_add(&stats->closed_protocol, broken);
    atomic_fetch_add(&stats->closed_slow, code == 1008);
}

void listener_closed(struct listener *listener, int code)
{
    struct stream_loop *loop = listener->loop;
    listener_rest(listener);
    phases_remove(&loop->phases, listener->pace.phase_frames, listener->pace.delivery_frames);
    if (listener->prev)
        listener->prev->next = listener->next;
    else
        loop->listeners = listener->next;
    if (listener->next)
        listener->next->prev = listener->prev;
    listener_leave(listener);
    if (listener->protocol->closed)
        listener->protocol->closed(listener);
    admission_leave(listener->stream->admission, &listener->peer);
    listener_count_end(listener, code);
    listener->closing = listener->gone = true;
    listener_release(listener);
}

void listener_close(struct listener *listener, int code, enum close_cause cause, const char *reason)
{
    struct stream_stats *stats = &listener->stream->stats;
    if (listener->closing)
        return;
    listener->cause = cause;
    atomic_fetch_add(&stats->closed_slow, cause == CLOSE_SLOW);
    atomic_fetch_add(&stats->closed_policy, cause == CLOSE_POLICY);
    atomic_fetch_add(&stats->closed_protocol, cause == CLOSE_PROTOCOL);
    atomic_fetch_add(&stats->closed_failed, cause == CLOSE_FAILED);
    listener->protocol->farewell(listener, cause, reason);
    listener->closing = true;
    listener_rest(listener);
    connection_close(listener->connection, code, reason);
}

bool listener_say(struct listener *listener, const char *text, size_t len)
{
    if (listener->closing)
        return false;
    if (connection_send_text(listener->connection, text, len))
        return true;
    listener->closing = true;
    listener_rest(listener);
    return false;
}

// A message that cannot be written for want of memory would be missed: it is better to come back.
static void listener_give_up(struct listener *listener)
{
    if (listener->cause != CLOSE_NONE)
        return;
    atomic_fetch_add(&listener->stream->stats.memory_faults, 1);
    listener_close(listener, 1011, CLOSE_MEMORY, "short of memory");
}

static bool listener_write(struct listener *listener, json_t *message, size_t digits)
{
    char text[LISTENER_TEXT_BYTES];
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(digits);
    size_t len = message ? json_dumpb(message, text, sizeof text, flags) : 0;
    json_decref(message);
    if (len == 0)
        listener_give_up(listener);
    return len > 0 && len <= sizeof text && listener_say(listener, text, len);
}

bool listener_tell(struct listener *listener, json_t *message)
{
    return listener_write(listener, message, 15);
}

bool listener_tell_exact(struct listener *listener, json_t *message)
{
    return listener_write(listener, message, 17);
}

void listener_violation(struct listener *listener)
{
    if (++listener->violations >= LISTENER_MAX_VIOLATIONS)
        listener_close(listener, 1008, CLOSE_POLICY, "three broken messages");
}

static bool listener_too_fast(struct listener *listener, uint64_t now_ns)
{
    if (now_ns - listener->rate_ns >= NS_PER_SECOND) {
        listener->rate_ns = now_ns;
        listener->rate_messages = 0;
    }
    return ++listener->rate_messages > LISTENER_MAX_RATE;
}

static bool listener_read(struct listener *listener, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
    const struct protocol *protocol = listener->protocol;
    if (listener_too_fast(listener, now_ns)) {
        protocol->refuse(listener, "RATE_LIMIT_EXCEEDED", "more than 50 messages in a second");
        return false;
    }
    json_t *message = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(message, "type"));
    bool good = false;
    if (type)
        good = protocol->message(listener, type, message, now_ns);
    else
        protocol->refuse(listener, "INVALID_MESSAGE", "not a JSON object with a type");
    json_decref(message);
    return good;
}

void listener_message(struct listener *listener, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    uint64_t now = listener_now_ns(listener);
    if (listener->closing)
        return;
    if (opcode != WEBSOCKET_TEXT)
        listener->protocol->binary(listener);
    else if (!listener_read(listener, bytes, len, now))
        listener_violation(listener);
}

void listener_oversized(struct listener *listener)
{
    if (listener->closing)
        return;
    listener->protocol->refuse(listener, "INVALID_MESSAGE", "a message that is too long");
}

void listener_flooding(struct listener *listener)
{
    listener_close(listener, 1008, CLOSE_POLICY, "too many frames");
}

bool listener_past(const struct listener *listener, uint64_t now_ns)
{
    return listener->cursor + CHUNK_FRAMES <= pace_live_frame(&listener->pace, now_ns);
}

uint64_t listener_missing(struct listener *listener, uint64_t now_ns)
{
    if (listener->missing_ns == 0)
        listener->missing_ns = now_ns;
    uint64_t missing_for = now_ns - listener->missing_ns;
    if (missing_for < 100 * NS_PER_MS)
        return now_ns + 2 * NS_PER_MS;
    return now_ns + (missing_for < NS_PER_SECOND ? 5 : 20) * NS_PER_MS;
}

void listener_count_sent(struct listener *listener, int chunks, size_t bytes)
{
    struct stream_turn *turn = &listener->loop->turn;
    enum stream_protocol id = listener->protocol->id;
    turn->chunks_sent[id] += (uint64_t)chunks;
    turn->bytes_sent[id] += bytes;
}

struct chunk *listener_chunk(const struct listener *listener, enum format format, uint64_t first_frame)
{
    return shelf_chunk(&listener->loop->shelf, listener->station->timeline, format, first_frame);
}
