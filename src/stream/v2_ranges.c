// Protocol v2 (doc/protocol.md, section 6): what is apart from what is on air. A range is a part of the programme, past
// or to come; a preview is the next seconds as they would be under other parameters. Both are made in the background,
// on a tape, and go out between what is due.
#include <stdlib.h>

#include "base/check.h"
#include "base/frames.h"
#include "stream/v2.h"

enum {
    V2_RANGE_BUSY_MS = 1000, V2_RANGE_OWN_MS = 100,   // when to try again: with those of others, with one's own
    V2_RANGE_LEAD_FRAMES = FRAME_RATE,   // of what is on air that a client should have before it gets any of a range
    V2_RANGE_PART_BYTES = 8 * 1024,      // a part is the chunks that begin within so many
    V2_RANGE_WAITING_BYTES = 2 * 1024,   // with more that is not on its way yet no part goes out
    V2_RANGE_PARTS = 16,                 // of which it is known where they are in the connection: all that it holds
    V2_RANGE_TIMES = 10,                 // as fast as it is heard
};

// With so many on a loop that they would come more often, each gets its part more seldom.
#define V2_RANGE_APART_NS (NS_PER_MS / 2)
#define V2_RANGE_LOOK_NS (20 * NS_PER_MS)
// Whoever takes longer than so many times its length keeps a range from others, and half a minute more for one of any.
#define V2_RANGE_SLOW_TIMES 4
#define V2_RANGE_SLOW_NS (30 * NS_PER_SECOND)
#define V2_RANGE_MOST_FRAME (UINT64_C(1) << 52)
#define V2_RANGE_FRAMES "frames is a whole number, 1 to 5760000"

_Static_assert(STREAM_RANGE_SECONDS * FRAME_RATE == 5760000, "the text says so");

// What was given to a connection at once.
struct v2_range_part {
    uint64_t end;            // of all bytes that were given by then
    uint64_t bytes;
};

struct v2_range {
    struct tape *tape;
    json_t *id;              // NULL: it has none
    int next;                // the next chunk of the tape
    uint64_t serve_ns;       // when that may go out
    uint64_t until_ns;       // when its client has been too slow; 0: the tape is still being made
    const char *reason;      // why no more of it comes, which is to be said behind what is under way; NULL: more does
    unsigned part_count;     // ever
    struct v2_range_part parts[V2_RANGE_PARTS];   // a ring
};

int v2_most_range_frames(const struct listener *listener)
{
    return listener->stream->config.errands ? STREAM_RANGE_SECONDS * FRAME_RATE : 0;
}

static void v2_refuse_range(struct listener *listener, json_t *id, const char *code, const char *text, int retry_ms)
{
    json_t *error = json_pack("{s:s, s:s, s:s, s:i}", "type", "error", "code", code, "message", text, "retry_ms",
                              retry_ms);
    atomic_fetch_add_explicit(&listener->stream->stats.refused_ranges, 1, memory_order_relaxed);
    v2_set_id(error, id);
    (void)listener_tell(listener, error);
}

// Says what comes.
static void v2_tell_range(struct listener *listener, const struct tape_subject *subject, const struct errand *errand,
                          json_t *id)
{
    json_t *told = json_pack(
        "{s:s, s:I, s:I, s:I, s:s, s:i, s:i, s:s}", "type", subject->trial ? "preview" : "range", "from_frame",
        (json_int_t)subject->first_frame, "to_frame", (json_int_t)subject->end_frame, "generation",
        (json_int_t)subject->generation, "format", format_wire_name(subject->format), "bitrate",
        (int)format_bitrate(subject->format), "decoder_delay_frames",
        (int)v2_delay_frames(listener, subject->format), "encoder_id", v2_encoder_id(listener, subject->format));
    if (subject->trial && told) {
        json_object_set_new(told, "at_frame", json_integer((json_int_t)errand->change.at_frame));
        json_object_set_new(told, "parameters", mood_to_json(&errand->change.mood));
    }
    v2_set_id(told, id);
    (void)listener_tell(listener, told);
}

// A tape that was to be made is not.
static void v2_give_up_tape(struct tape *tape, bool blank)
{
    if (blank)
        tape_end(tape);
    tape_release(tape);
}

// From now on it is the listener's range. False when memory is short.
static bool v2_begin_range(struct listener *listener, const struct errand *errand, bool blank, json_t *id)
{
    struct v2_range *range = malloc(sizeof *range);
    if (!range) {
        v2_give_up_tape(errand->tape, blank);
        return false;
    }
    *range = (struct v2_range){.tape = errand->tape, .id = json_incref(id)};
    listener->v2.range = range;
    listener->loop->ranges++;
    // There is room for as many as are made.
    check(!blank || errands_ask(listener->stream->config.errands, errand));
    return true;
}

// Takes the tape, or has one made.
static bool v2_take_range(struct listener *listener, const struct tape_subject *subject, struct errand *errand,
                          json_t *id)
{
    struct stream *stream = listener->stream;
    uint64_t asker = admission_exempt(stream->admission, &listener->peer) ? 0 : listener->peer.key;
    bool blank;
    return !atomic_load(&stream->refusing) &&
           tapes_take(stream->config.tapes, subject, asker, &errand->tape, &blank) == STATUS_OK &&
           v2_begin_range(listener, errand, blank, id);
}

// What a message asks for, as far as it has been read.
struct v2_wish {
    json_t *id;
    uint64_t frames;
    struct tape_subject subject;
    struct errand errand;
};

// How far a message has come: it is malformed, or cannot be met (both have been answered), or can be gone on with.
enum v2_reading { V2_MALFORMED, V2_ANSWERED, V2_GOOD };

static void v2_ask_for(struct listener *listener, struct v2_wish *wish, uint64_t now_ns)
{
    struct stream *stream = listener->stream;
    uint64_t frames = wish->subject.end_frame - tape_begin_frame(&wish->subject);
    int cost = (int)(frames / CHUNK_FRAMES) + STREAM_RANGE_WAY_CHUNKS, retry_s = 0;
    if (!admission_count(stream->admission, &listener->peer, ADMISSION_RANGES, cost, now_ns, &retry_s)) {
        v2_refuse_range(listener, wish->id, "RATE_LIMIT_EXCEEDED", "two minutes of sound a minute", retry_s * 1000);
        return;
    }
    if (!v2_take_range(listener, &wish->subject, &wish->errand, wish->id)) {
        (void)admission_count(stream->admission, &listener->peer, ADMISSION_RANGES, -cost, now_ns, &retry_s);
        v2_refuse_range(listener, wish->id, "BUSY", "too many ranges are being made", V2_RANGE_BUSY_MS);
        return;
    }
    atomic_fetch_add_explicit(&stream->stats.ranges, 1, memory_order_relaxed);
    v2_tell_range(listener, &wish->subject, &wish->errand, wish->id);
    if (!listener->blocked && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
}

static enum v2_reading v2_misread(struct listener *listener, const json_t *message, const char *text)
{
    (void)v2_malformed(listener, message, text);
    return V2_MALFORMED;
}

// What ranges and previews have in common: whose answer it is, how many frames, and in which format.
static enum v2_reading v2_read_wish(struct listener *listener, json_t *message, struct v2_wish *wish)
{
    enum format ceiling;
    const json_t *wanted = json_object_get(message, "frames");
    if (!v2_read_id(listener, message, &wish->id) ||
        !v2_read_format(listener, message, &wish->subject.format, &ceiling))
        return V2_MALFORMED;
    if (!json_is_integer(wanted))
        return v2_misread(listener, message, V2_RANGE_FRAMES);
    json_int_t count = json_integer_value(wanted);
    wish->subject.station = (int)(listener->station - listener->stream->config.stations);
    wish->frames = (uint64_t)count;
    if (v2_most_range_frames(listener) == 0)
        v2_complain(listener, wish->id, "INTERNAL_ERROR", "no ranges are made here");
    else if (count < 1 || count > STREAM_RANGE_SECONDS * FRAME_RATE)
        v2_complain(listener, wish->id, "INVALID_PARAMETERS", V2_RANGE_FRAMES);
    else if (listener->v2.range)
        v2_refuse_range(listener, wish->id, "BUSY", "one range at a time", V2_RANGE_OWN_MS);
    else
        return V2_GOOD;
    return V2_ANSWERED;
}

static void v2_set_frames(struct v2_wish *wish, uint64_t from_frame)
{
    wish->subject.first_frame = frames_round_down(from_frame, CHUNK_FRAMES);
    wish->subject.end_frame = frames_round_up(from_frame + wish->frames, CHUNK_FRAMES);
}

static enum v2_reading v2_read_range(struct listener *listener, const json_t *message, struct v2_wish *wish)
{
    const json_t *from = json_object_get(message, "from_frame");
    json_int_t first = json_integer_value(from);
    if (!json_is_integer(from) || first < 0 || (uint64_t)first > V2_RANGE_MOST_FRAME)
        return v2_misread(listener, message, "from_frame is a whole number, a frame of the programme");
    v2_set_frames(wish, (uint64_t)first);
    struct control_view view = sequencer_view(listener->station->sequencer, wish->subject.end_frame);
    wish->subject.generation = view.generation;
    wish->subject.woken_frame = view.woken_frame;
    wish->errand.known = view.known;
    return V2_GOOD;
}

// The change as it would be made now. False when there is none like it, which has been answered.
static bool v2_try(struct listener *listener, const json_t *parameters, json_t *id, struct control_entry *change)
{
    struct steering steering = {.listener = listener, .id = id};
    struct wish *wish = &steering.wish;
    wish->status = mood_patch_from_json(parameters, NULL, &wish->patch, &steering.refusal);
    if (wish->status == STATUS_OK)
        wish->status = sequencer_try(listener->station->sequencer, &wish->patch, change);
    if (wish->status != STATUS_OK)
        v2_refuse_control(listener, &steering);
    return wish->status == STATUS_OK;
}

static enum v2_reading v2_read_preview(struct listener *listener, const json_t *message, struct v2_wish *wish)
{
    const json_t *parameters = json_object_get(message, "parameters");
    if (!json_is_object(parameters))
        return v2_misread(listener, message, "parameters is an object");
    if (!v2_try(listener, parameters, wish->id, &wish->errand.change))
        return V2_ANSWERED;
    v2_set_frames(wish, control_heard_from(wish->errand.change.at_frame));
    wish->subject.trial = true;
    wish->errand.known = wish->errand.change.sequence - 1;
    wish->subject.generation = (uint32_t)wish->errand.known;
    return V2_GOOD;
}

static bool v2_on_wish(struct listener *listener, json_t *message, uint64_t now_ns,
                       enum v2_reading (*read_rest)(struct listener *, const json_t *, struct v2_wish *))
{
    struct v2_wish wish = {0};
    enum v2_reading reading = v2_read_wish(listener, message, &wish);
    if (reading == V2_GOOD)
        reading = read_rest(listener, message, &wish);
    if (reading == V2_GOOD)
        v2_ask_for(listener, &wish, now_ns);
    return reading != V2_MALFORMED;
}

bool v2_on_range(struct listener *listener, json_t *message, uint64_t now_ns)
{
    return v2_on_wish(listener, message, now_ns, v2_read_range);
}

bool v2_on_preview(struct listener *listener, json_t *message, uint64_t now_ns)
{
    return v2_on_wish(listener, message, now_ns, v2_read_preview);
}

void v2_forget_range(struct listener *listener)
{
    struct v2_range *range = listener->v2.range;
    if (!range)
        return;
    tape_release(range->tape);
    json_decref(range->id);
    free(range);
    listener->v2.range = NULL;
    listener->loop->ranges--;
}

uint64_t v2_range_bytes(const struct listener *listener, uint64_t last_bytes)
{
    const struct v2_range *range = listener->v2.range;
    uint64_t given = connection_bytes_given(listener->connection), bytes = 0;
    uint64_t from = given > last_bytes ? given - last_bytes : 0;
    for (unsigned i = 0; range && i < V2_RANGE_PARTS && i < range->part_count; i++) {
        const struct v2_range_part *part = &range->parts[i];
        uint64_t begin = part->end - part->bytes;
        if (part->end > from)
            bytes += part->end - (begin > from ? begin : from);
    }
    return bytes;
}

// What it has in the connection is none of anybody's any more: nothing is to be concluded from that for a while.
static void v2_tell_end(struct listener *listener, uint64_t now_ns)
{
    ladder_disturbed(&listener->ladder, now_ns, connection_bytes_given(listener->connection));
    json_t *end = json_pack("{s:s, s:s}", "type", "range_end", "reason", listener->v2.range->reason);
    v2_set_id(end, listener->v2.range->id);
    v2_forget_range(listener);
    (void)listener_tell(listener, end);
}

bool v2_on_cancel(struct listener *listener, json_t *message, uint64_t now_ns)
{
    struct v2_range *range = listener->v2.range;
    if (!range || range->reason)
        return true;
    range->reason = "cancelled";
    range->serve_ns = now_ns;
    if (!listener->blocked && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
    return true;
}

// Returns how many chunks went out.
static int v2_send_range(struct listener *listener, uint64_t now_ns)
{
    struct v2_range *range = listener->v2.range;
    struct batch batch;
    struct chunk *chunk;
    int count = 0;
    batch_begin(&batch, listener);
    while (count < BATCH_CHUNKS && batch.bytes < V2_RANGE_PART_BYTES &&
           (chunk = tape_chunk(range->tape, range->next + count))) {
        batch_chunk(&batch, chunk, 0);
        batch_shared(&batch, chunk->bytes, chunk->len);
        count++;
    }
    if (count == 0 || !batch_send(&batch, now_ns))
        return 0;
    range->next += count;
    range->parts[range->part_count++ % V2_RANGE_PARTS] =
        (struct v2_range_part){.end = connection_bytes_given(listener->connection), .bytes = batch.bytes};
    atomic_fetch_add_explicit(&listener->stream->stats.range_chunks_sent, (uint64_t)count, memory_order_relaxed);
    return count;
}

// What is on air comes first: it is not due, there is some of it in hand, and next to nothing waits to be sent.
static bool v2_may_send_range(const struct listener *listener, uint64_t now_ns)
{
    const struct pace *pace = &listener->pace;
    uint64_t half = pace->lead.frames / 2, in_hand = half < V2_RANGE_LEAD_FRAMES ? half : V2_RANGE_LEAD_FRAMES;
    if (listener->v2.playing && (pace_send_ns(pace, listener->cursor) <= now_ns ||
                                 listener->cursor <= pace_live_frame(pace, now_ns) + in_hand))
        return false;
    return connection_waiting_bytes(listener->connection) <= V2_RANGE_WAITING_BYTES;
}

// Why no more of it comes. NULL: more does.
static const char *v2_range_reason(struct v2_range *range, uint64_t now_ns)
{
    enum tape_state state = tape_state(range->tape);
    int length = tape_length(range->tape);
    if (range->until_ns == 0 && state != TAPE_MAKING)
        range->until_ns =
            now_ns + V2_RANGE_SLOW_TIMES * frames_to_ns((uint64_t)length * CHUNK_FRAMES) + V2_RANGE_SLOW_NS;
    if (range->next == length)
        return "done";
    if (state == TAPE_BROKEN && !tape_chunk(range->tape, range->next))
        return "failed";
    return range->until_ns != 0 && now_ns > range->until_ns ? "slow" : NULL;
}

// Until the next part, after so many chunks.
static uint64_t v2_range_pause_ns(const struct stream_loop *loop, int chunks)
{
    uint64_t pause = frames_to_ns((uint64_t)chunks * CHUNK_FRAMES) / V2_RANGE_TIMES;
    uint64_t apart = (uint64_t)loop->ranges * V2_RANGE_APART_NS;
    pause = chunks == 0 ? V2_RANGE_LOOK_NS : pause;
    return pause < apart ? apart : pause;
}

uint64_t v2_serve_range(struct listener *listener, uint64_t now_ns)
{
    struct v2_range *range = listener->v2.range;
    if (!range || listener->blocked || listener->closing)
        return UINT64_MAX;
    if (now_ns < range->serve_ns)
        return range->serve_ns;
    int sent = !range->reason && v2_may_send_range(listener, now_ns) ? v2_send_range(listener, now_ns) : 0;
    if (!range->reason)
        range->reason = v2_range_reason(range, now_ns);
    range->serve_ns = now_ns + v2_range_pause_ns(listener->loop, sent);
    if (!range->reason || !connection_clear(listener->connection))
        return range->serve_ns;
    v2_tell_end(listener, now_ns);
    return UINT64_MAX;
}
