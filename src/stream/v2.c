// Protocol v2 (doc/protocol.md).
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "stream/listener.h"
#include "stream/preroll.h"
#include "stream/steer.h"
#include "stream/subprotocol.h"
#include "stream/told.h"

enum {
    V2_MESSAGE_BYTES = 4096,
    V2_OPUS_BUFFER_BYTES = 32 * 1024,   // the first second with its preroll
    V2_PCM_BUFFER_BYTES = 64 * 1024,
    V2_EVENTS_AT_ONCE = 16,             // so that texts never outgrow their room
    V2_ID_BYTES = 64,
    V2_RETRY_MS = 500, V2_RETRY_SPREAD_MS = 1500,
};

#define V2_IDLE_NS (100 * NS_PER_MS)

static bool v2_accept(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                      struct refusal *refusal)
{
    char name[64], format[16] = "opus";
    const struct stream_config *config = &listener->stream->config;
    if (http_query(request, "station", name, sizeof name)) {
        listener->station = NULL;
        for (int i = 0; i < config->station_count; i++)
            if (strcmp(config->stations[i].name, name) == 0)
                listener->station = &config->stations[i];
    }
    (void)http_query(request, "format", format, sizeof format);
    bool known = format_from_name(format, &listener->format) && listener->format != FORMAT_LEGACY;
    enum offer offer = subprotocol_offer(http_header(request, "sec-websocket-protocol"), "auralis-v2");
    if (!listener->station)
        *refusal = (struct refusal){404, "NOT_FOUND", "no such station"};
    else if (!known)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "format is opus or pcm"};
    else if (offer == OFFER_OTHERS)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "the subprotocol is auralis-v2"};
    if (refusal->status != 0)
        return false;
    accept->subprotocol = offer == OFFER_IT ? "auralis-v2" : NULL;
    accept->send_buffer_bytes = listener->format == FORMAT_OPUS ? V2_OPUS_BUFFER_BYTES : V2_PCM_BUFFER_BYTES;
    return true;
}

static double v2_time_ms(const struct listener *listener, uint64_t now_ns)
{
    return (double)(int64_t)(now_ns - listener->station->origin_ns) / (double)NS_PER_MS;
}

static uint32_t v2_delay_frames(const struct listener *listener)
{
    return listener->format == FORMAT_OPUS ? listener->station->decoder_delay_frames : 0;
}

static uint32_t v2_bitrate(const struct listener *listener)
{
    return listener->format == FORMAT_OPUS ? listener->station->opus_bitrate : 0;
}

// Begins a run of chunks at the live playhead.
static void v2_begin(struct listener *listener, uint64_t now_ns)
{
    listener->cursor = pace_start(&listener->pace, now_ns);
    listener->missing_ns = 0;
    listener->v2.preroll = listener->format == FORMAT_OPUS;
}

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
        "{s:f, s:f, s:I, s:I, s:i, s:I, s:I, s:I, s:I}", "time_ms", v2_time_ms(listener, now_ns), "origin_unix_ms",
        (double)station->origin_unix_ns / (double)NS_PER_MS, "lead_frames", (json_int_t)station->lead_frames,
        "guard_frames", (json_int_t)sequencer_guard_frames(station->sequencer), "phase_frames",
        (int)listener->pace.phase_frames, "generation",
        (json_int_t)steer_generation(station, pace_live_frame(&listener->pace, now_ns)), "first_frame",
        (json_int_t)listener->cursor, "burst_until_frame", (json_int_t)pace_burst_until(&listener->pace), "sequence",
        (json_int_t)latest.sequence);
    json_t *sound = json_pack(
        "{s:s, s:[s,s], s:i, s:i, s:s, s:o}", "format", format_name(listener->format), "formats",
        format_name(FORMAT_OPUS), format_name(FORMAT_PCM), "bitrate", (int)v2_bitrate(listener),
        "decoder_delay_frames", (int)v2_delay_frames(listener), "encoder_id",
        station->encoder_id && listener->format == FORMAT_OPUS ? station->encoder_id : "", "parameters",
        mood_to_json(&latest.mood));
    json_object_update(hello, clocks);
    json_object_update(hello, sound);
    json_decref(clocks);
    json_decref(sound);
    return hello;
}

// The chord and the section that sound now; what comes after them follows by and by.
static void v2_tell_scene(struct listener *listener, uint64_t now_ns)
{
    struct timeline *timeline = listener->station->timeline;
    uint64_t live = pace_live_frame(&listener->pace, now_ns);
    struct event_record record;
    listener->v2.joined_frame = live;
    if (timeline_event_at(timeline, EVENT_RECORD_SECTION, live, &record))
        (void)listener_say(listener, record.text, record.text_len);
    if (!timeline_event_at(timeline, EVENT_RECORD_CHORD, live, &record))
        return;
    (void)listener_say(listener, record.text, record.text_len);
    listener->v2.told_event = record.number;
}

static void v2_greet(struct listener *listener, uint64_t now_ns)
{
    listener->v2.playing = true;
    listener_join(listener);
    v2_begin(listener, now_ns);
    listener->told_sequence = sequencer_latest(listener->station->sequencer);
    uint64_t session = random_u64((uint64_t)listener->station->origin_unix_ns, now_ns, listener->number);
    snprintf(listener->v2.session, sizeof listener->v2.session, "%016llx", (unsigned long long)session);
    if (listener_tell(listener, v2_hello(listener, now_ns)))
        v2_tell_scene(listener, now_ns);
}

static void v2_tell_status(struct listener *listener)
{
    uint64_t latest = sequencer_latest(listener->station->sequencer);
    struct told *told = told_find(listener, TOLD_V2);
    if (latest == listener->told_sequence)
        return;
    if (told->len == 0 || told->sequence != latest) {
        struct mood_entry entry = steer_latest(listener->station);
        told_write(told, entry.sequence,
                   json_pack("{s:s, s:I, s:I, s:o}", "type", "status", "sequence", (json_int_t)entry.sequence,
                             "at_frame", (json_int_t)entry.at_frame, "parameters", mood_to_json(&entry.mood)));
    }
    listener->told_sequence = told->sequence;
    if (told->len > 0)
        (void)listener_say(listener, told->text, told->len);
}

static void v2_tell_events(struct listener *listener)
{
    struct timeline *timeline = listener->station->timeline;
    struct event_record record;
    int told = 0;
    if (timeline_last_event(timeline) == listener->v2.told_event)
        return;
    while (told < V2_EVENTS_AT_ONCE && timeline_event_after(timeline, listener->v2.told_event, &record)) {
        listener->v2.told_event = record.number;
        if (record.at_frame <= listener->v2.joined_frame)
            continue;
        if (!listener_say(listener, record.text, record.text_len))
            return;
        told++;
    }
}

// The next chunk is past: moves to the live playhead as soon as audio is there. False while it is not.
static bool v2_skip(struct listener *listener, uint64_t now_ns)
{
    uint64_t from = listener->cursor, to = pace_live_chunk(&listener->pace, now_ns);
    struct chunk *chunk = timeline_acquire(listener->station->timeline, listener->format, to);
    chunk_release(chunk);
    if (!chunk)
        return false;
    v2_begin(listener, now_ns);
    atomic_fetch_add(&listener->stream->stats.skips, 1);
    return listener_tell(listener, json_pack("{s:s, s:I, s:I, s:I}", "type", "skip", "from_frame", (json_int_t)from,
                                             "to_frame", (json_int_t)to, "burst_until_frame",
                                             (json_int_t)pace_burst_until(&listener->pace)));
}

// Puts what is due into one batch. Returns how many chunks.
static int v2_gather(struct listener *listener, struct batch *batch, uint8_t *preroll_head, uint64_t now_ns)
{
    int count = 0;
    for (; count < PACE_AT_ONCE && batch->slice_count < PIN_CHUNKS; count++) {
        uint64_t frame = listener->cursor + (uint64_t)count * CHUNK_FRAMES;
        uint64_t send_ns = pace_send_ns(&listener->pace, frame);
        struct chunk *chunk =
            send_ns > now_ns ? NULL : timeline_acquire(listener->station->timeline, listener->format, frame);
        if (!chunk)
            break;
        if (count == 0 && listener->v2.preroll)
            preroll_add(batch, preroll_head, frame);
        batch_pin(batch, chunk, send_ns);
        batch_shared(batch, chunk->bytes, chunk->len);
    }
    return count;
}

static void v2_send(struct listener *listener, uint64_t now_ns)
{
    uint8_t preroll_head[PREROLL_HEAD_BYTES];
    struct batch batch = batch_begin(listener);
    int count = v2_gather(listener, &batch, preroll_head, now_ns);
    if (count == 0 || !batch_send(&batch, now_ns))
        return;
    listener->cursor += (uint64_t)count * CHUNK_FRAMES;
    listener->missing_ns = 0;
    listener->v2.preroll = false;
    listener_count_sent(listener, count, batch.bytes);
}

// Sends what is due. Returns when the next chunk is.
static uint64_t v2_serve_audio(struct listener *listener, uint64_t now_ns)
{
    if (listener_past(listener, now_ns) && !v2_skip(listener, now_ns))
        return listener_missing(listener, now_ns);
    v2_send(listener, now_ns);
    uint64_t next_ns = pace_send_ns(&listener->pace, listener->cursor);
    return next_ns > now_ns ? next_ns : listener_missing(listener, now_ns);
}

static uint64_t v2_serve(struct listener *listener, uint64_t now_ns)
{
    uint64_t next_ns = listener->v2.playing ? v2_serve_audio(listener, now_ns) : now_ns + V2_IDLE_NS;
    if (listener->blocked)
        return next_ns;
    v2_tell_status(listener);
    v2_tell_events(listener);
    return next_ns < now_ns + V2_IDLE_NS ? next_ns : now_ns + V2_IDLE_NS;
}

static void v2_accepted(struct listener *listener, uint64_t first_frame, uint64_t send_ns, uint64_t now_ns)
{
    struct stream_stats *stats = &listener->stream->stats;
    const struct pace *pace = &listener->pace;
    histogram_record(&stats->lateness_ns, now_ns > send_ns ? now_ns - send_ns : 0);
    // The first second of a run begins at the playhead itself, so it cannot be late.
    bool started = first_frame >= pace->start_frame + (uint64_t)PACE_AT_ONCE * CHUNK_FRAMES;
    if (started && first_frame < pace_live_frame(pace, now_ns))
        atomic_fetch_add(&stats->underruns, 1);
}

static void v2_set_id(json_t *answer, const json_t *message)
{
    json_t *id = json_object_get(message, "id");
    if (id && answer)
        json_object_set(answer, "id", id);
}

static void v2_complain(struct listener *listener, const json_t *message, const char *code, const char *text)
{
    json_t *error = json_pack("{s:s, s:s, s:s}", "type", "error", "code", code, "message", text);
    v2_set_id(error, message);
    (void)listener_tell(listener, error);
}

static bool v2_malformed(struct listener *listener, const json_t *message, const char *text)
{
    v2_complain(listener, message, "INVALID_MESSAGE", text);
    return false;
}

static void v2_ack(struct listener *listener, const json_t *message, const struct control_result *result)
{
    json_t *warnings = json_array();
    for (int i = 0; i < result->warning_count; i++)
        json_array_append_new(warnings, json_string(result->warnings[i]));
    json_t *ack = json_pack("{s:s, s:I, s:I, s:o, s:o}", "type", "ack", "sequence", (json_int_t)result->sequence,
                            "at_frame", (json_int_t)result->at_frame, "parameters", mood_to_json(&result->mood),
                            "warnings", warnings);
    v2_set_id(ack, message);
    (void)listener_tell(listener, ack);
}

static void v2_refuse_control(struct listener *listener, const json_t *message, enum status status,
                              const struct steering *steering)
{
    char text[256];
    steer_complaint(status, steering, text, sizeof text);
    if (status != STATUS_INVALID) {
        v2_complain(listener, message, status == STATUS_RATE_LIMITED ? "RATE_LIMIT_EXCEEDED" : "INTERNAL_ERROR", text);
        return;
    }
    const struct mood_refusal *refusal = &steering->refusal;
    json_t *error = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "error", "code", "INVALID_PARAMETERS", "message",
                              text, "field", refusal->field, "value", refusal->value, "constraint",
                              refusal->constraint);
    v2_set_id(error, message);
    (void)listener_tell(listener, error);
}

static bool v2_on_control(struct listener *listener, json_t *message, uint64_t now_ns)
{
    const json_t *id = json_object_get(message, "id");
    if (id && (!json_is_string(id) || json_string_length(id) > V2_ID_BYTES))
        return v2_malformed(listener, NULL, "id is a text of at most 64 bytes");
    const json_t *parameters = json_object_get(message, "parameters");
    if (!json_is_object(parameters))
        return v2_malformed(listener, message, "parameters is an object");
    struct steering steering;
    enum status status = steer(listener->station, parameters, NULL, &steering);
    if (status == STATUS_OK)
        v2_ack(listener, message, &steering.result);
    else
        v2_refuse_control(listener, message, status, &steering);
    return true;
}

static bool v2_on_ping(struct listener *listener, json_t *message, uint64_t now_ns)
{
    json_t *t0 = json_object_get(message, "t0");
    if (!json_is_number(t0))
        return v2_malformed(listener, message, "t0 is a number");
    (void)listener_tell_exact(listener, json_pack("{s:s, s:O, s:f, s:f}", "type", "pong", "t0", t0, "t1_ms",
                                                  v2_time_ms(listener, now_ns), "t2_ms",
                                                  v2_time_ms(listener, listener_now_ns(listener))));
    return true;
}

static bool v2_on_report(struct listener *listener, json_t *message, uint64_t now_ns)
{
    struct stream_stats *stats = &listener->stream->stats;
    const json_t *lead = json_object_get(message, "lead_ms"), *underruns = json_object_get(message, "underruns");
    if ((lead && !json_is_number(lead)) || (underruns && !json_is_integer(underruns)))
        return v2_malformed(listener, message, "lead_ms is a number, underruns an integer");
    double lead_ms = json_number_value(lead);
    if (lead && lead_ms >= 0 && lead_ms < 3600e3)
        histogram_record(&stats->player_lead_ns, (uint64_t)(lead_ms * (double)NS_PER_MS));
    json_int_t count = json_integer_value(underruns);
    if (count > 0 && (uint64_t)count > listener->v2.underruns && count < 1000000) {
        atomic_fetch_add(&stats->player_underruns, (uint64_t)count - listener->v2.underruns);
        listener->v2.underruns = (uint64_t)count;
    }
    atomic_fetch_add(&stats->player_reports, 1);
    return true;
}

// Says what comes from now on: another format, or sound again.
static void v2_tell_codec(struct listener *listener)
{
    (void)listener_tell(
        listener, json_pack("{s:s, s:s, s:I, s:i, s:i, s:I}", "type", "codec", "format", format_name(listener->format),
                            "at_frame", (json_int_t)listener->cursor, "decoder_delay_frames",
                            (int)v2_delay_frames(listener), "bitrate", (int)v2_bitrate(listener), "burst_until_frame",
                            (json_int_t)pace_burst_until(&listener->pace)));
}

static bool v2_on_codec(struct listener *listener, json_t *message, uint64_t now_ns)
{
    const char *name = json_string_value(json_object_get(message, "format"));
    enum format format;
    if (!name || !format_from_name(name, &format) || format == FORMAT_LEGACY)
        return v2_malformed(listener, message, "format is opus or pcm");
    listener_leave(listener);
    listener->format = format;
    listener->v2.preroll = format == FORMAT_OPUS;
    if (listener->v2.playing)
        listener_join(listener);
    v2_tell_codec(listener);
    return true;
}

static bool v2_on_pause(struct listener *listener, json_t *message, uint64_t now_ns)
{
    listener->v2.playing = false;
    listener_leave(listener);
    return true;
}

static bool v2_on_play(struct listener *listener, json_t *message, uint64_t now_ns)
{
    if (listener->v2.playing)
        return true;
    listener->v2.playing = true;
    listener_join(listener);
    v2_begin(listener, now_ns);
    v2_tell_codec(listener);
    if (!listener->blocked && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
    return true;
}

static bool v2_on_resume(struct listener *listener, json_t *message, uint64_t now_ns)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s}", "type", "notice", "code", "NOT_YET", "message",
                                            "this server cannot resume: what you hear begins at the live playhead"));
    return true;
}

static const struct {
    const char *type;
    bool (*handle)(struct listener *listener, json_t *message, uint64_t now_ns);
} v2_messages[] = {
    {"codec", v2_on_codec}, {"control", v2_on_control}, {"pause", v2_on_pause},   {"ping", v2_on_ping},
    {"play", v2_on_play},   {"report", v2_on_report},   {"resume", v2_on_resume},
};

static bool v2_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns)
{
    for (size_t i = 0; i < sizeof v2_messages / sizeof *v2_messages; i++)
        if (strcmp(type, v2_messages[i].type) == 0)
            return v2_messages[i].handle(listener, message, now_ns);
    return true;
}

static void v2_refuse(struct listener *listener, const char *code, const char *text)
{
    v2_complain(listener, NULL, code, text);
}

static void v2_binary(struct listener *listener)
{
    listener_close(listener, 1003, CLOSE_PROTOCOL, "text only");
}

static void v2_farewell(struct listener *listener, enum close_cause cause, const char *reason)
{
    static const char *const codes[] = {
        [CLOSE_SLOW] = "SLOW", [CLOSE_POLICY] = "POLICY", [CLOSE_PROTOCOL] = "PROTOCOL", [CLOSE_DRAIN] = "SHUTDOWN"};
    // Those who come back are spread over more than a second.
    int retry_ms = V2_RETRY_MS + (int)(listener->pace.phase_frames * V2_RETRY_SPREAD_MS / CHUNK_FRAMES);
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
    .accepted = v2_accepted,
    .message = v2_message,
    .refuse = v2_refuse,
    .binary = v2_binary,
    .farewell = v2_farewell,
    .drain = v2_drain,
};
