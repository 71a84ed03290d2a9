// Protocol v2 (doc/protocol.md): what is sent, and when.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "stream/preroll.h"
#include "stream/steer.h"
#include "stream/subprotocol.h"
#include "stream/told.h"
#include "stream/v2.h"

enum {
    V2_MESSAGE_BYTES = 4096,
    V2_OPUS_BUFFER_BYTES = 16 * 1024,   // keeps 26 kB: the first second with its preroll
    V2_PCM_BUFFER_BYTES = 32 * 1024,    // keeps 50 kB, so that a round trip may take a quarter of a second
    V2_BATCH_BYTES = 32 * 1024,         // no more chunks in one send; more would only wait
    V2_HEAD_BYTES = 34,                 // of a chunk beside its sound
    V2_EVENTS_AT_ONCE = 16,             // so that texts never outgrow their room
    V2_MORE_EVENTS_MS = 50,             // when there are more
    V2_RETRY_MS = 500, V2_RETRY_SPREAD_MS = 1500,
    V2_FAILED_RETRY_MS = 10000,         // a station that was given up is tried again then
};

#define V2_LATE_NS (200 * NS_PER_MS)
#define V2_MOST_FRAME (UINT64_C(1) << 53)   // what a JSON number holds exactly: some six thousand years

bool v2_format_from_name(const char *name, enum format ceiling, enum format *format)
{
    bool opus = strcmp(name, format_wire_name(FORMAT_OPUS)) == 0;
    *format = opus ? ceiling : FORMAT_PCM;
    return opus || strcmp(name, format_wire_name(FORMAT_PCM)) == 0;
}

// The rung whose bit rate is written out in digits.
static bool v2_rung_from_text(const char *text, enum format *rung)
{
    char own[16];
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++) {
        snprintf(own, sizeof own, "%u", format_bitrate((enum format)i));
        if (strcmp(text, own) == 0) {
            *rung = (enum format)i;
            return true;
        }
    }
    return false;
}

// A number in digits, as a query has it. Returns whether it is there; bad: out, it is there and no such number.
static bool v2_query_number(const struct http_request *request, const char *name, uint64_t most, uint64_t *number,
                            bool *bad)
{
    char text[24];
    if (!http_query(request, name, text, sizeof text))
        return false;
    size_t digits = strspn(text, "0123456789");
    bool good = digits > 0 && digits < 20 && text[digits] == '\0';
    *number = good ? strtoull(text, NULL, 10) : 0;
    *bad |= !good || *number > most;
    return true;
}

// Where it wants to go on. Returns what is wrong with that, NULL: nothing.
static const char *v2_resume_wish(struct listener *listener, const struct http_request *request)
{
    struct v2_state *v2 = &listener->v2;
    uint64_t generation = 0;
    bool bad = false;
    bool frame = v2_query_number(request, "next_frame", V2_MOST_FRAME, &v2->resume_frame, &bad);
    bool known = v2_query_number(request, "generation", UINT32_MAX, &generation, &bad);
    v2->resume_generation = (uint32_t)generation;
    v2->resumes = frame && known;
    return bad || frame != known ? V2_RESUME : NULL;
}

// Format and highest rung, as the query has them. Returns what is wrong with them, NULL: nothing.
static const char *v2_wish(struct listener *listener, const struct http_request *request)
{
    char format[16] = "opus", bitrate[16];
    listener->v2.ceiling = FORMAT_OPUS;
    if (http_query(request, "bitrate", bitrate, sizeof bitrate) && !v2_rung_from_text(bitrate, &listener->v2.ceiling))
        return V2_BITRATES;
    (void)http_query(request, "format", format, sizeof format);
    return v2_format_from_name(format, listener->v2.ceiling, &listener->format) ? NULL : V2_FORMATS;
}

uint32_t v2_delivery_frames(const struct listener *listener)
{
    return delivery_frames(listener->format, listener->station->lead_frames);
}

static bool v2_accept(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                      struct refusal *refusal)
{
    char name[64];
    const struct stream_config *config = &listener->stream->config;
    if (http_query(request, "station", name, sizeof name)) {
        listener->station = NULL;
        for (int i = 0; i < config->station_count; i++)
            if (strcmp(config->stations[i].name, name) == 0)
                listener->station = &config->stations[i];
    }
    struct v2_state *v2 = &listener->v2;
    v2->returns = http_query(request, "session", v2->earlier, sizeof v2->earlier) &&
                  strspn(v2->earlier, "0123456789abcdef") == SESSION_BYTES - 1;
    const char *unknown = v2_wish(listener, request);
    if (!unknown)
        unknown = v2_resume_wish(listener, request);
    enum offer offer = subprotocol_offer(request, "auralis-v2");
    if (!listener->station)
        *refusal = (struct refusal){404, "NOT_FOUND", "no such station"};
    else if (unknown)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", unknown};
    else if (offer == OFFER_OTHERS)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "the subprotocol is auralis-v2"};
    if (refusal->status != 0)
        return false;
    pace_deliver(&listener->pace, listener->number, v2_delivery_frames(listener));
    accept->subprotocol = offer == OFFER_IT ? "auralis-v2" : NULL;
    accept->send_buffer_bytes = format_is_opus(listener->format) ? V2_OPUS_BUFFER_BYTES : V2_PCM_BUFFER_BYTES;
    return true;
}

double v2_time_ms(const struct listener *listener, uint64_t now_ns)
{
    return (double)(int64_t)(now_ns - listener->station->origin_ns) / (double)NS_PER_MS;
}

uint32_t v2_delay_frames(const struct listener *listener, enum format format)
{
    return format_is_opus(format) ? listener->station->decoder_delay_frames : 0;
}

const char *v2_encoder_id(const struct listener *listener, enum format format)
{
    const char *id = listener->station->encoder_ids[format];
    return id ? id : "";
}

// The first reader of a format comes before its chunks.
static bool v2_live_is_ready(const struct listener *listener, uint64_t now_ns)
{
    uint64_t live = pace_live_chunk(&listener->pace, now_ns);
    return listener_chunk(listener, listener->format, live) != NULL;
}

uint32_t v2_usual_bytes(enum format format)
{
    return format_chunk_bytes(format) + V2_HEAD_BYTES;
}

void v2_go_back(struct listener *listener, uint64_t frame, uint64_t at_once, uint64_t now_ns)
{
    uint64_t passed = (PACE_AT_ONCE - at_once) * CHUNK_FRAMES;   // as if so much had been sent
    pace_start_at(&listener->pace, now_ns, frame < passed ? frame : frame - passed);
    listener->cursor = frame;
    listener->granted = 0;
    listener->missing_ns = 0;
    listener->v2.burst_until = pace_burst_until(&listener->pace);
    listener->v2.player_ns = 0;
    if (frame < listener->v2.format_frame) {
        listener->v2.format_frame = frame;
        listener->v2.preroll = format_is_opus(listener->format);
    }
    ladder_disturbed(&listener->ladder, now_ns, connection_bytes_given(listener->connection));
}

void v2_begin_at(struct listener *listener, uint64_t frame, uint64_t now_ns)
{
    v2_go_back(listener, frame, PACE_AT_ONCE, now_ns);
    listener->v2.generation = v2_known_generation(listener, listener->format);
    listener->v2.format_frame = frame;
    listener->v2.preroll = format_is_opus(listener->format);
    listener->v2.skip = false;
}

void v2_begin(struct listener *listener, uint64_t now_ns)
{
    bool ready = v2_live_is_ready(listener, now_ns);
    v2_begin_at(listener, pace_start(&listener->pace, now_ns, ready), now_ns);
}

// The lead in force has changed: goes there from the next chunk on.
static void v2_follow_lead(struct listener *listener)
{
    struct lead *lead = &listener->pace.lead;
    uint64_t frames = listener_lead_frames(listener);
    if (lead->frames == frames)
        return;
    lead_move(lead, frames, listener->cursor);
    ladder_set_lead(&listener->ladder, frames_to_ns(frames));
    (void)listener_tell(listener, json_pack("{s:s, s:I, s:I, s:I}", "type", "lead", "lead_frames", (json_int_t)frames,
                                            "from_frame", (json_int_t)lead->from_frame, "burst_until_frame",
                                            (json_int_t)pace_burst_until(&listener->pace)));
}

static void v2_set_last_close(const struct listener *listener, json_t *hello, uint64_t now_ns)
{
    const char *reason, *code = NULL;
    uint64_t session = strtoull(listener->v2.earlier, NULL, 16);
    if (listener->v2.returns)
        code = closings_find(&listener->stream->closings, session, now_ns, &reason);
    if (code)
        json_object_set_new(hello, "last_close", json_pack("{s:s, s:s}", "code", code, "reason", reason));
}

// NULL when memory is short.
static json_t *v2_hello(const struct listener *listener, uint64_t now_ns)
{
    const struct stream_station *station = listener->station;
    struct mood_entry latest = steer_latest(station);
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)station->seed);
    json_t *hello = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "type", "hello", "protocol", 2, "version",
        listener->stream->config.version, "station", station->name, "session", listener->v2.session, "seed", seed,
        "rate", FRAME_RATE, "chunk_frames", CHUNK_FRAMES, "packet_frames", PACKET_FRAMES);
    json_t *clocks = json_pack(
        "{s:f, s:f, s:I, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:i}", "time_ms", v2_time_ms(listener, now_ns),
        "origin_unix_ms", (double)station->origin_unix_ns / (double)NS_PER_MS, "lead_frames",
        (json_int_t)listener->pace.lead.frames, "max_lead_frames", (json_int_t)station->lead_frames, "guard_frames",
        (json_int_t)sequencer_guard_frames(station->sequencer), "delivery_frames",
        (int)listener->pace.delivery_frames, "phase_frames", (int)listener->pace.phase_frames, "generation",
        (json_int_t)sequencer_in_force(station->sequencer, pace_live_frame(&listener->pace, now_ns)), "first_frame",
        (json_int_t)listener->cursor, "burst_until_frame", (json_int_t)pace_burst_until(&listener->pace), "sequence",
        (json_int_t)latest.sequence, "max_range_frames", v2_most_range_frames(listener));
    json_t *sound = json_pack(
        "{s:s, s:[s,s], s:i, s:[i,i,i], s:i, s:s, s:o}", "format", format_wire_name(listener->format), "formats",
        format_wire_name(FORMAT_OPUS), format_wire_name(FORMAT_PCM), "bitrate", (int)format_bitrate(listener->format),
        "bitrates", (int)format_bitrate(FORMAT_OPUS), (int)format_bitrate(FORMAT_OPUS_64),
        (int)format_bitrate(FORMAT_OPUS_32), "decoder_delay_frames", (int)v2_delay_frames(listener, listener->format),
        "encoder_id", v2_encoder_id(listener, listener->format), "parameters", mood_to_json(&latest.mood));
    bool whole = json_object_update(hello, clocks) == 0 && json_object_update(hello, sound) == 0;
    v2_set_last_close(listener, hello, now_ns);
    json_decref(clocks);
    json_decref(sound);
    if (whole)
        return hello;
    json_decref(hello);
    return NULL;
}

// The chord and the section that sound now; what comes after them follows by and by.
static void v2_tell_scene(struct listener *listener, uint64_t now_ns)
{
    struct timeline *timeline = listener->station->timeline;
    uint64_t live = pace_live_frame(&listener->pace, now_ns);
    struct event_record record;
    listener->v2.scene_due = false;
    listener->v2.joined_frame = live;
    if (timeline_event_at(timeline, EVENT_RECORD_SECTION, live, &record))
        (void)listener_say(listener, record.text, record.text_len);
    if (!timeline_event_at(timeline, EVENT_RECORD_CHORD, live, &record))
        return;
    (void)listener_say(listener, record.text, record.text_len);
    listener->v2.told_event = record.number;
}

// Begins at the live playhead; for one who comes back and still has some of the future, where that ends or is out of
// date. Returns from where on that is; UINT64_MAX: nowhere.
static uint64_t v2_begin_anywhere(struct listener *listener, uint64_t now_ns)
{
    const struct v2_state *v2 = &listener->v2;
    uint64_t live = pace_live_chunk(&listener->pace, now_ns);
    uint64_t most = live + listener->pace.lead.frames + DELIVERY_MOST_FRAMES;
    if (!v2->resumes || v2->resume_frame <= live || v2->resume_frame > most) {
        v2_begin(listener, now_ns);
        return UINT64_MAX;
    }
    uint64_t changed = v2_changed_frame(listener, v2->resume_generation);
    uint64_t from = changed < live ? live : changed < v2->resume_frame ? changed : v2->resume_frame;
    v2_begin_at(listener, frames_round_down(from, CHUNK_FRAMES), now_ns);
    atomic_fetch_add_explicit(&listener->stream->stats.resumes, 1, memory_order_relaxed);
    listener->v2.holds = true;
    return from < v2->resume_frame ? from : UINT64_MAX;
}

static void v2_greet(struct listener *listener, uint64_t now_ns)
{
    listener->v2.playing = true;
    listener->v2.aim = listener->format;
    listener->v2.chunk_bytes = v2_usual_bytes(listener->format);
    listener_join(listener);
    uint64_t changed = v2_begin_anywhere(listener, now_ns);
    listener->told_sequence = sequencer_steered(listener->station->sequencer);
    uint64_t session = random_u64((uint64_t)listener->station->origin_unix_ns, now_ns, listener->number);
    snprintf(listener->v2.session, sizeof listener->v2.session, "%016llx", (unsigned long long)session);
    if (!listener_tell(listener, v2_hello(listener, now_ns)))
        return;
    if (changed != UINT64_MAX)
        v2_tell_supersede(listener, changed, listener->v2.resume_generation + 1);
    listener->v2.scene_due = timeline_frontier(listener->station->timeline, listener->format) == 0;
    if (!listener->v2.scene_due)
        v2_tell_scene(listener, now_ns);
}

static json_t *v2_status(const struct mood_entry *entry)
{
    return json_pack("{s:s, s:I, s:I, s:o}", "type", "status", "sequence", (json_int_t)entry->sequence, "at_frame",
                     (json_int_t)entry->at_frame, "parameters", mood_to_json(&entry->mood));
}

// False when there is more to tell than fits in.
static bool v2_tell_events(struct listener *listener, uint64_t now_ns)
{
    struct timeline *timeline = listener->station->timeline;
    if (listener->v2.scene_due && timeline_frontier(timeline, listener->format) == 0)
        return true;
    if (listener->v2.scene_due)
        v2_tell_scene(listener, now_ns);
    struct event_record record;
    int told = 0;
    if (timeline_last_event(timeline) == listener->v2.told_event)
        return true;
    while (told < V2_EVENTS_AT_ONCE && timeline_event_after(timeline, &listener->v2.told_event, &record)) {
        if (record.at_frame <= listener->v2.joined_frame)
            continue;
        if (!listener_say(listener, record.text, record.text_len))
            return true;
        told++;
    }
    return told < V2_EVENTS_AT_ONCE;
}

// Puts what is due into one batch. Returns how many chunks.
static int v2_gather(struct listener *listener, struct batch *batch, uint8_t *preroll_head, uint64_t now_ns)
{
    int count = 0;
    for (; count < PACE_AT_ONCE && batch->slice_count < BATCH_CHUNKS && batch->bytes < V2_BATCH_BYTES; count++) {
        uint64_t frame = listener->cursor + (uint64_t)count * CHUNK_FRAMES;
        uint64_t send_ns = pace_send_ns(&listener->pace, frame);
        if (frame < listener->v2.burst_until && count >= listener->granted)
            break;
        struct chunk *chunk = send_ns > now_ns ? NULL : listener_chunk(listener, listener->format, frame);
        if (!chunk)
            break;
        if (count == 0 && listener->v2.preroll)
            preroll_add(batch, preroll_head, frame);
        batch_chunk(batch, chunk, send_ns);
        batch_shared(batch, chunk->bytes, chunk->len);
    }
    return count;
}

// Chunks that the pace allows by now, up to a second.
static int v2_allowed(const struct listener *listener, uint64_t now_ns)
{
    int chunks = 0;
    uint64_t frame = listener->cursor;
    for (; chunks < PACE_AT_ONCE && frame < listener->v2.burst_until; chunks++, frame += CHUNK_FRAMES)
        if (pace_send_ns(&listener->pace, frame) > now_ns)
            break;
    return chunks;
}

// The next chunk may go: it belongs to the steady schedule, or the loop has time for more than that. A refill gets as
// much as the steady schedule would bring for nothing, a delivery.
static bool v2_may_send(struct listener *listener, uint64_t now_ns)
{
    struct v2_state *v2 = &listener->v2;
    int chunks = v2_allowed(listener, now_ns);
    if (listener->granted > 0 || chunks == 0)
        return true;
    bool begins = listener->cursor < listener->pace.start_frame + (uint64_t)PACE_AT_ONCE * CHUNK_FRAMES;
    if (!begins && now_ns >= v2->free_ns) {
        int delivery = (int)(listener->pace.delivery_frames / CHUNK_FRAMES);
        v2->free_ns = now_ns + frames_to_ns(listener->pace.delivery_frames);
        listener->granted = chunks < delivery ? chunks : delivery;
        return true;
    }
    uint64_t live = pace_live_frame(&listener->pace, now_ns);
    uint64_t left = listener->cursor > live ? listener->cursor - live : 0;
    enum budget_kind first = v2->returns ? BUDGET_RETURNS : BUDGET_COMES;
    enum budget_kind later = listener->pace.catch_up_ns != 0 ? BUDGET_DEBTS : BUDGET_REFILLS;
    return listener_ask(listener, budget_rank(begins ? first : later, (int64_t)frames_to_ns(left)), chunks, now_ns);
}

static void v2_spend(struct listener *listener, int chunks)
{
    if (listener->cursor < listener->v2.burst_until)
        listener->granted = listener->granted > chunks ? listener->granted - chunks : 0;
}

// Sends one batch. False when nothing was due or taken.
static bool v2_send(struct listener *listener, uint64_t now_ns)
{
    uint8_t preroll_head[PREROLL_HEAD_BYTES];
    struct batch batch;
    struct v2_state *v2 = &listener->v2;
    batch_begin(&batch, listener);
    int count = v2_gather(listener, &batch, preroll_head, now_ns);
    if (count == 0 || !batch_send(&batch, now_ns))
        return false;
    if (!v2->preroll)
        v2->chunk_bytes += ((int32_t)(batch.bytes / (size_t)count) - (int32_t)v2->chunk_bytes) / 8;
    v2_spend(listener, count);
    v2->holds = true;
    listener->cursor += (uint64_t)count * CHUNK_FRAMES;
    listener->missing_ns = 0;
    v2->preroll = false;
    listener_count_sent(listener, count, batch.bytes);
    return true;
}

// There is room again. What has become late meanwhile is not sent all at once.
static void v2_go_on(struct listener *listener, uint64_t now_ns)
{
    if (!listener->freed)
        return;
    listener->freed = false;
    if (pace_send_ns(&listener->pace, listener->cursor) + V2_LATE_NS >= now_ns)
        return;
    bool stalled = ladder_stalled_ns(&listener->ladder, now_ns) >= NS_PER_SECOND;
    pace_catch_up(&listener->pace, now_ns, listener->cursor, stalled);
    listener->v2.burst_until = pace_burst_until(&listener->pace);
}

// One of a crowd that others have left behind moves to another phase, once chunks come at their due time.
static void v2_spread(struct listener *listener, uint64_t now_ns)
{
    struct pace *pace = &listener->pace;
    bool steady = !listener->blocked && pace_due_ns(pace, listener->cursor) == pace_send_ns(pace, listener->cursor);
    if (steady && phases_move(&listener->loop->phases, pace->phase_frames, pace->delivery_frames, now_ns,
                              &pace->phase_frames))
        (void)listener_tell(listener, json_pack("{s:s, s:i, s:I}", "type", "phase", "phase_frames",
                                                (int)pace->phase_frames, "from_frame", (json_int_t)listener->cursor));
}

// To whom nothing is sent something may still have to be said.
static uint64_t v2_idle_ns(const struct listener *listener)
{
    return frames_to_ns(listener->pace.delivery_frames);
}

// Sends what is due. Returns when the next chunk is.
static uint64_t v2_serve_audio(struct listener *listener, uint64_t now_ns)
{
    if (!v2_turn(listener, now_ns))
        return listener_missing(listener, now_ns);
    v2_go_on(listener, now_ns);
    uint64_t next_ns;
    do
        next_ns = pace_send_ns(&listener->pace, listener->cursor);
    while (next_ns <= now_ns && v2_may_send(listener, now_ns) && v2_send(listener, now_ns) && !listener->blocked);
    if (listener->blocked || listener->burst.next)
        return now_ns + v2_idle_ns(listener);
    v2_spread(listener, now_ns);
    next_ns = pace_send_ns(&listener->pace, listener->cursor);
    return next_ns > now_ns ? next_ns : listener_missing(listener, now_ns);
}

// What there is to say goes out with the audio.
static uint64_t v2_serve(struct listener *listener, uint64_t now_ns)
{
    uint64_t idle_ns = now_ns + v2_idle_ns(listener);
    connection_hold(listener->connection);
    v2_follow_lead(listener);
    if (v2_outdated(listener))
        v2_follow_changes(listener, now_ns);
    told_status(listener, TOLD_V2, v2_status);
    if (!v2_tell_events(listener, now_ns))
        idle_ns = now_ns + V2_MORE_EVENTS_MS * NS_PER_MS;
    uint64_t next_ns = listener->v2.playing ? v2_serve_audio(listener, now_ns) : idle_ns;
    uint64_t range_ns = v2_serve_range(listener, now_ns);
    connection_go(listener->connection);
    if (listener->blocked)
        return next_ns;
    if (range_ns < idle_ns)
        idle_ns = range_ns;
    return next_ns < idle_ns ? next_ns : idle_ns;
}

static void v2_accepted(struct listener *listener, uint64_t first_frame, uint64_t send_ns, uint64_t now_ns)
{
    struct stream_stats *stats = &listener->stream->stats;
    const struct pace *pace = &listener->pace;
    histogram_record(&listener->loop->lateness_ns, now_ns > send_ns ? now_ns - send_ns : 0);
    // The first second of a run begins at the playhead itself, so it cannot be late.
    bool started = first_frame >= pace->start_frame + (uint64_t)PACE_AT_ONCE * CHUNK_FRAMES;
    if (started && first_frame < pace_live_frame(pace, now_ns))
        atomic_fetch_add(&stats->underruns, 1);
}

static void v2_farewell(struct listener *listener, enum close_cause cause, const char *reason)
{
    static const char *const codes[] = {
        [CLOSE_SLOW] = "SLOW", [CLOSE_POLICY] = "POLICY", [CLOSE_PROTOCOL] = "PROTOCOL", [CLOSE_DRAIN] = "SHUTDOWN",
        [CLOSE_FAILED] = "FAILED", [CLOSE_MEMORY] = "OVERLOAD"};
    if (cause != CLOSE_DRAIN)
        closings_remember(&listener->stream->closings, strtoull(listener->v2.session, NULL, 16),
                          listener_now_ns(listener), codes[cause], reason);
    // Those who come back are spread over more than a second.
    int retry_ms = cause == CLOSE_FAILED ? V2_FAILED_RETRY_MS : V2_RETRY_MS;
    retry_ms += (int)(listener->pace.phase_frames * V2_RETRY_SPREAD_MS / listener->pace.delivery_frames);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s, s:i}", "type", "goodbye", "code", codes[cause], "reason",
                                            reason, "retry_ms", retry_ms));
}

// What the player holds lasts until the next server is there.
static void v2_drain(struct listener *listener, uint64_t now_ns)
{
    listener_close(listener, 1001, CLOSE_DRAIN, listener->stream->drain_reason);
}

const struct protocol protocol_v2 = {
    .id = STREAM_V2,
    .kind = ADMISSION_V2,
    .max_message_bytes = V2_MESSAGE_BYTES,
    .path = "/ws/v2",
    .accept = v2_accept,
    .greet = v2_greet,
    .serve = v2_serve,
    .outdated = v2_outdated,
    .look = v2_look,
    .accepted = v2_accepted,
    .message = v2_message,
    .answered = v2_answered,
    .refuse = v2_refuse,
    .binary = v2_binary,
    .closed = v2_forget_range,
    .farewell = v2_farewell,
    .drain = v2_drain,
};
