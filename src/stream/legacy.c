#include "stream/legacy.h"

#include <stdlib.h>
#include <string.h>

#include "stream/watch.h"
#include "wire/websocket.h"

enum { LEGACY_TOKENS = 15, LEGACY_TOKENS_PER_SECOND = 10 };

// A listener that has just come waits this long for a station that has just been woken.
#define LEGACY_GRACE_NS NS_PER_SECOND
// Silence goes out this long before the client has nothing left.
#define LEGACY_MARGIN_NS (50 * NS_PER_MS)

static const char LEGACY_TAIL[] = "\"}";

void legacy_accept(struct listener *listener, struct net_accept *accept, enum tier tier)
{
    listener->format = FORMAT_LEGACY;
    listener->legacy.tier = tier;
    accept->send_buffer_bytes = LEGACY_BUFFER_BYTES;
}

// How far ahead chunks go out: the tier's target, but no further than the station renders.
static uint64_t legacy_lead_frames(const struct listener *listener)
{
    uint64_t target = (uint64_t)tier_target_ms(listener->legacy.tier) * (FRAME_RATE / 1000);
    uint64_t most = listener->station->lead_frames - CHUNK_FRAMES;
    return target < most ? target : most;
}

// Where a listener with nothing in hand begins: the first chunk that its phase has not passed, so that it is sent its
// tier's target at once, neither more nor less.
static uint64_t legacy_begin_frame(const struct listener *listener, uint64_t now_ns)
{
    uint64_t live = pace_live_frame(&listener->pace, now_ns), phase = listener->pace.phase_frames;
    return live < phase ? 0 : frames_round_down(live - phase, CHUNK_FRAMES) + CHUNK_FRAMES;
}

// Chunks that are due by now cost no token.
static void legacy_exempt(struct listener *listener, uint64_t now_ns)
{
    uint64_t frame = listener->cursor;
    while (pace_due_ns(&listener->pace, frame) <= now_ns)
        frame += CHUNK_FRAMES;
    listener->legacy.exempt_until_frame = frame;
    tier_meter_break(&listener->legacy.meter);
}

void legacy_greet(struct listener *listener, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    listener_join(listener);
    listener->pace.lead = (struct lead){.frames = legacy_lead_frames(listener)};
    listener->cursor = legacy_begin_frame(listener, now_ns);
    listener->told_sequence = sequencer_steered(listener->station->sequencer);
    legacy->connected_ns = now_ns;
    legacy->tokens = tokens_full(LEGACY_TOKENS, LEGACY_TOKENS_PER_SECOND, now_ns);
    legacy_exempt(listener, now_ns);
}

void legacy_set_tier(struct listener *listener, enum tier tier, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    bool up = tier > legacy->tier;
    legacy->tier = tier;
    listener->pace.lead = (struct lead){.frames = legacy_lead_frames(listener)};
    tier_meter_break(&legacy->meter);
    if (up)
        legacy_exempt(listener, now_ns);
}

// False when the next chunk costs a token and there is none; *at_ns is then when there will be.
static bool legacy_may_send(struct listener *listener, uint64_t now_ns, uint64_t *at_ns)
{
    return listener->cursor < listener->legacy.exempt_until_frame ||
           tokens_take(&listener->legacy.tokens, now_ns, at_ns);
}

static uint64_t legacy_due_unix_ns(const struct listener *listener)
{
    const struct pace *pace = &listener->pace;
    int64_t frame = (int64_t)(listener->cursor + pace->phase_frames) - (int64_t)pace->lead.frames;
    uint64_t since = frames_to_ns((uint64_t)(frame < 0 ? -frame : frame));
    int64_t origin = listener->station->origin_unix_ns;
    return (uint64_t)(frame < 0 ? origin - (int64_t)since : origin + (int64_t)since);
}

bool legacy_send(struct listener *listener, const struct legacy_words *words, struct chunk *chunk, const char *base64,
                 size_t len, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    char json[LEGACY_HEAD_BYTES];
    uint8_t frame_head[WEBSOCKET_MAX_HEAD_BYTES];
    struct text head = text_on(json, sizeof json);
    words->audio_head(listener, &head, legacy_due_unix_ns(listener));
    size_t payload = head.len + len + sizeof LEGACY_TAIL - 1;
    struct batch batch;
    batch_begin(&batch, listener);
    batch_own(&batch, frame_head, websocket_write_head(frame_head, WEBSOCKET_TEXT, payload));
    batch_own(&batch, head.bytes, head.len);
    batch_shared(&batch, base64, len);
    batch_shared(&batch, LEGACY_TAIL, sizeof LEGACY_TAIL - 1);
    if (chunk)
        batch_chunk(&batch, chunk, pace_due_ns(&listener->pace, listener->cursor));
    if (!batch_send(&batch, now_ns))
        return false;
    listener->cursor += CHUNK_FRAMES;
    legacy->chunks_sent++;
    legacy->bytes_sent += batch.bytes;
    listener_count_sent(listener, 1, batch.bytes);
    return true;
}

// The next chunk is past: moves to a safe position, at once or as soon as audio is there. False while it is not.
static bool legacy_move(struct listener *listener, const struct legacy_words *words, uint64_t now_ns)
{
    uint64_t to = legacy_begin_frame(listener, now_ns);
    if (!listener_chunk(listener, FORMAT_LEGACY, to) && !words->fills)
        return false;
    bool started = listener->legacy.chunks_sent > 0;
    listener->cursor = to;
    tier_meter_break(&listener->legacy.meter);
    if (!started) {
        legacy_exempt(listener, now_ns);
        return true;
    }
    atomic_fetch_add(&listener->stream->stats.skips, 1);
    words->overrun(listener);
    return true;
}

// The client has nothing left, or will have shortly; a listener that has just come is given time.
static bool legacy_dry(const struct listener *listener, uint64_t now_ns)
{
    return now_ns - listener->legacy.connected_ns >= LEGACY_GRACE_NS &&
           pace_played_ns(&listener->pace, listener->cursor, now_ns) >= -(int64_t)LEGACY_MARGIN_NS;
}

// There is nothing for a listener of these words yet: when to look again.
static uint64_t legacy_await(struct listener *listener, const struct legacy_words *words, uint64_t now_ns)
{
    if (legacy_dry(listener, now_ns))
        (void)words->dry(listener, now_ns);
    return listener_missing(listener, now_ns);
}

// Keeps what is to come after what was sent; NULL: that is not known.
static void legacy_follow(struct listener *listener, struct chunk *next)
{
    if (next)
        chunk_retain(next);
    chunk_release(listener->legacy.follows);
    listener->legacy.follows = next;
}

void legacy_closed(struct listener *listener)
{
    legacy_follow(listener, NULL);
}

void legacy_look(struct listener *listener, uint64_t now_ns)
{
    if (watch_lets_go(listener, now_ns))
        legacy_follow(listener, NULL);
    watch_stuck(listener, now_ns);
}

// The chunk at the cursor, NULL when it is not there, and in *next the one after it, likewise: both as they are in one
// and the same generation.
static struct chunk *legacy_find(struct listener *listener, struct chunk **next)
{
    struct timeline *timeline = listener->station->timeline;
    for (;;) {
        uint32_t generation = timeline_generation(timeline, FORMAT_LEGACY);
        struct chunk *chunk = listener_chunk(listener, FORMAT_LEGACY, listener->cursor);
        *next = listener_chunk(listener, FORMAT_LEGACY, listener->cursor + CHUNK_FRAMES);
        if (timeline_generation(timeline, FORMAT_LEGACY) == generation)
            return chunk;
    }
}

// A change has made of the chunk at the cursor something else than was to come.
static bool legacy_is_changed(const struct listener *listener, const struct chunk *chunk)
{
    const struct chunk *follows = listener->legacy.follows;
    return follows && follows->first_frame == chunk->first_frame && follows->generation != chunk->generation;
}

// What comes after it is about to be made. That is worth to wait for: the next change could not be led over to without.
// But not for so long that the client has nothing left.
static bool legacy_awaits_next(const struct listener *listener, uint64_t now_ns)
{
    uint64_t frontier = timeline_frontier(listener->station->timeline, FORMAT_LEGACY);
    return frontier <= listener->cursor + CHUNK_FRAMES && !legacy_dry(listener, now_ns);
}

// What was to come is better than nothing.
static struct chunk *legacy_last_resort(const struct listener *listener, uint64_t now_ns)
{
    struct chunk *follows = listener->legacy.follows;
    bool fits = follows && follows->first_frame == listener->cursor;
    if (!fits || !legacy_dry(listener, now_ns))
        return NULL;
    chunk_retain(follows);
    return follows;
}

// The chunk that is sent next, with a reference: what leads over to it where it is changed. NULL while there is none.
// *next: what is to come after it, NULL when that is not known.
static struct chunk *legacy_next(struct listener *listener, uint64_t now_ns, struct chunk **next)
{
    struct chunk *chunk = legacy_find(listener, next);
    if (!chunk)
        return legacy_last_resort(listener, now_ns);
    bool changed = legacy_is_changed(listener, chunk);
    if (changed && !*next && legacy_awaits_next(listener, now_ns))
        return NULL;
    struct chunk *join = changed ? joins_chunk(&listener->loop->joins, listener->legacy.follows, chunk) : NULL;
    if (!join)
        chunk_retain(chunk);
    return join ? join : chunk;
}

static bool legacy_send_chunk(struct listener *listener, const struct legacy_words *words, struct chunk *chunk,
                              uint64_t now_ns, uint64_t *next_ns)
{
    listener->missing_ns = 0;
    if (!legacy_may_send(listener, now_ns, next_ns))
        return false;
    listener->legacy.dry = false;
    return legacy_send(listener, words, chunk, (const char *)chunk->bytes + chunk->payload_offset,
                       chunk->len - chunk->payload_offset, now_ns);
}

static bool legacy_send_next(struct listener *listener, const struct legacy_words *words, uint64_t now_ns,
                             uint64_t *next_ns)
{
    struct chunk *next, *chunk = legacy_next(listener, now_ns, &next);
    if (chunk) {
        bool sent = legacy_send_chunk(listener, words, chunk, now_ns, next_ns);
        chunk_release(chunk);
        if (sent)
            legacy_follow(listener, next);
        return sent;
    }
    if (legacy_dry(listener, now_ns) && words->dry(listener, now_ns))
        return true;
    *next_ns = listener_missing(listener, now_ns);
    return false;
}

uint64_t legacy_serve(struct listener *listener, const struct legacy_words *words, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    enum tier tier = legacy->tier_fixed ? legacy->tier : tier_meter_look(&legacy->meter, legacy->tier);
    if (tier != legacy->tier)
        legacy_set_tier(listener, tier, now_ns);
    for (;;) {
        uint64_t next_ns = pace_due_ns(&listener->pace, listener->cursor);
        if (listener->blocked || listener->closing || next_ns > now_ns)
            return next_ns;
        // What is past would only make the client late, so it is never sent, even while there is nothing else.
        if (listener_past(listener, now_ns)) {
            if (!legacy_move(listener, words, now_ns))
                return legacy_await(listener, words, now_ns);
            continue;
        }
        if (!legacy_send_next(listener, words, now_ns, &next_ns))
            return next_ns;
    }
}

// An underrun: accepted when the client has played all that it holds. What goes out at once begins at the playhead
// itself, so it is given time.
static bool legacy_underrun(struct listener *listener, uint64_t first_frame, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    int64_t late_ns = pace_played_ns(&listener->pace, first_frame, now_ns);
    bool late = late_ns > (int64_t)(first_frame < legacy->exempt_until_frame ? LEGACY_GRACE_NS : 0);
    legacy->good_chunks = late ? 0 : legacy->good_chunks + 1;
    if (legacy->good_chunks >= TIER_WINDOW)
        legacy->underruns_together = 0;
    if (late) {
        legacy->underruns++;
        legacy->underruns_together++;
        atomic_fetch_add(&listener->stream->stats.underruns, 1);
    }
    return late;
}

void legacy_accepted(struct listener *listener, uint64_t first_frame, uint64_t send_ns, uint64_t now_ns)
{
    struct stream_stats *stats = &listener->stream->stats;
    bool underrun = legacy_underrun(listener, first_frame, now_ns);
    // The burst of one who comes or moves up is neither late nor uneven.
    if (first_frame < listener->legacy.exempt_until_frame)
        return;
    histogram_record(&listener->loop->lateness_ns, now_ns > send_ns ? now_ns - send_ns : 0);
    bool first = listener->legacy.meter.last_ns == 0;
    uint64_t jitter_ns = tier_meter_accept(&listener->legacy.meter, now_ns, underrun);
    if (!first)
        histogram_record(&stats->jitter_ns, jitter_ns);
}

double legacy_depth_ms(const struct listener *listener, uint64_t now_ns)
{
    int64_t played_ns = pace_played_ns(&listener->pace, listener->cursor, now_ns);
    return played_ns < 0 ? (double)-played_ns / (double)NS_PER_MS : 0;
}

int legacy_chunks_ahead(const struct listener *listener)
{
    uint64_t frontier = timeline_frontier(listener->station->timeline, FORMAT_LEGACY);
    return frontier > listener->cursor ? (int)((frontier - listener->cursor) / CHUNK_FRAMES) : 0;
}

json_t *legacy_health(const struct listener *listener, uint64_t now_ns)
{
    const struct legacy_state *legacy = &listener->legacy;
    return json_pack("{s:i, s:i, s:s, s:f, s:f, s:s}", "current_depth_chunks",
                     (int)(legacy_depth_ms(listener, now_ns) / 100 + 0.5), "target_depth_chunks",
                     (int)tier_target_ms(legacy->tier) / 100, "current_tier", tier_name(legacy->tier), "jitter_ms",
                     legacy->meter.jitter_ms, "underrun_rate", tier_meter_underrun_rate(&legacy->meter),
                     "health_status", tier_meter_health(&legacy->meter));
}

void legacy_pong(struct listener *listener, const json_t *message)
{
    json_t *client_time = json_object_get(message, "client_time");
    (void)listener_tell_exact(
        listener, json_pack("{s:s, s:O, s:I}", "type", "pong", "client_time", client_time ? client_time : json_null(),
                            "server_time", (json_int_t)(listener_unix_ns(listener) / NS_PER_MS)));
}

static json_t *legacy_updated_fields(uint32_t set)
{
    json_t *names = json_array();
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        if (set >> id & 1)
            json_array_append_new(names, json_string(mood_parameters[id].name));
    return names;
}

void legacy_control(struct listener *listener, const json_t *message)
{
    static const char *const ignored[] = {"type", "timestamp", "client_id", "client_time", NULL};
    steer(listener, message, ignored, NULL);
}

void legacy_acknowledge(struct listener *listener, const struct steering *steering)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:o}", "type", "control_ack", "message", "Parameters updated",
                                            "updated_fields", legacy_updated_fields(steering->wish.patch.set)));
}
