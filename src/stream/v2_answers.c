// Protocol v2 (doc/protocol.md): what clients say, and the answers.
#include <string.h>

#include "stream/steer.h"
#include "stream/v2.h"

enum { V2_ID_BYTES = 64 };

static bool v2_id_ok(const json_t *id)
{
    return json_is_string(id) && json_string_length(id) <= V2_ID_BYTES;
}

// Anything else would be sent back at a length that an answer has no room for.
void v2_set_id(json_t *answer, json_t *id)
{
    if (v2_id_ok(id) && answer)
        json_object_set(answer, "id", id);
}

void v2_complain(struct listener *listener, json_t *id, const char *code, const char *text)
{
    json_t *error = json_pack("{s:s, s:s, s:s}", "type", "error", "code", code, "message", text);
    v2_set_id(error, id);
    (void)listener_tell(listener, error);
}

bool v2_malformed(struct listener *listener, const json_t *message, const char *text)
{
    v2_complain(listener, json_object_get(message, "id"), "INVALID_MESSAGE", text);
    return false;
}

bool v2_read_id(struct listener *listener, json_t *message, json_t **id)
{
    *id = json_object_get(message, "id");
    return !*id || v2_id_ok(*id) || v2_malformed(listener, message, "id is a text of at most 64 bytes");
}

static void v2_ack(struct listener *listener, json_t *id, const struct control_result *result)
{
    json_t *warnings = json_array();
    for (int i = 0; i < result->warning_count; i++)
        json_array_append_new(warnings, json_string(result->warnings[i]));
    json_t *ack = json_pack("{s:s, s:I, s:I, s:o, s:o}", "type", "ack", "sequence", (json_int_t)result->sequence,
                            "at_frame", (json_int_t)result->at_frame, "parameters", mood_to_json(&result->mood),
                            "warnings", warnings);
    v2_set_id(ack, id);
    (void)listener_tell(listener, ack);
}

void v2_refuse_control(struct listener *listener, const struct steering *steering)
{
    char text[256];
    enum status status = steering->wish.status;
    steer_complaint(steering, text, sizeof text);
    if (status != STATUS_INVALID) {
        v2_complain(listener, steering->id, status == STATUS_RATE_LIMITED ? "RATE_LIMIT_EXCEEDED" : "INTERNAL_ERROR",
                    text);
        return;
    }
    const struct mood_refusal *refusal = &steering->refusal;
    json_t *error = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "error", "code", "INVALID_PARAMETERS",
                              "message", text, "field", refusal->field, "value", refusal->value, "constraint",
                              refusal->constraint);
    v2_set_id(error, steering->id);
    (void)listener_tell(listener, error);
}

void v2_answered(struct listener *listener, const struct steering *steering)
{
    if (steering->wish.status == STATUS_OK)
        v2_ack(listener, steering->id, &steering->wish.result);
    else
        v2_refuse_control(listener, steering);
}

static bool v2_on_control(struct listener *listener, json_t *message, uint64_t now_ns)
{
    json_t *id;
    if (!v2_read_id(listener, message, &id))
        return false;
    const json_t *parameters = json_object_get(message, "parameters");
    if (!json_is_object(parameters))
        return v2_malformed(listener, message, "parameters is an object");
    steer(listener, parameters, NULL, id);
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

static void v2_on_lead(struct listener *listener, const json_t *report, uint64_t lead_ns, uint64_t now_ns)
{
    const json_t *playhead = json_object_get(report, "playhead_frame");
    histogram_record(&listener->stream->stats.player_lead_ns, lead_ns);
    if (json_is_number(playhead) && json_number_value(playhead) >= 0 && json_number_value(playhead) < 1e15)
        v2_player_says(listener, (uint64_t)json_number_value(playhead), lead_ns, now_ns);
}

static bool v2_on_report(struct listener *listener, json_t *message, uint64_t now_ns)
{
    struct stream_stats *stats = &listener->stream->stats;
    const json_t *lead = json_object_get(message, "lead_ms"), *underruns = json_object_get(message, "underruns");
    if ((lead && !json_is_number(lead)) || (underruns && !json_is_integer(underruns)))
        return v2_malformed(listener, message, "lead_ms is a number, underruns an integer");
    double lead_ms = json_number_value(lead);
    if (lead && lead_ms >= 0 && lead_ms < 3600e3)
        v2_on_lead(listener, message, (uint64_t)(lead_ms * (double)NS_PER_MS), now_ns);
    json_int_t count = json_integer_value(underruns);
    if (count > 0 && (uint64_t)count > listener->v2.underruns && count < 1000000) {
        atomic_fetch_add(&stats->player_underruns, (uint64_t)count - listener->v2.underruns);
        listener->v2.underruns = (uint64_t)count;
    }
    atomic_fetch_add(&stats->player_reports, 1);
    return true;
}

bool v2_read_format(struct listener *listener, const json_t *message, enum format *format, enum format *ceiling)
{
    const json_t *name = json_object_get(message, "format"), *bitrate = json_object_get(message, "bitrate");
    const char *wanted = name ? json_string_value(name) : format_wire_name(listener->format);
    *ceiling = listener->v2.ceiling;
    *format = listener->format;
    if (!name && !bitrate)
        return true;
    if (bitrate && (!json_is_integer(bitrate) || !format_opus_rung(json_integer_value(bitrate), ceiling)))
        return v2_malformed(listener, message, V2_BITRATES);
    return (wanted && v2_format_from_name(wanted, *ceiling, format)) || v2_malformed(listener, message, V2_FORMATS);
}

static bool v2_on_codec(struct listener *listener, json_t *message, uint64_t now_ns)
{
    enum format format, ceiling;
    if (!json_object_get(message, "format") && !json_object_get(message, "bitrate"))
        return v2_malformed(listener, message, V2_FORMATS);
    if (!v2_read_format(listener, message, &format, &ceiling))
        return false;
    listener->v2.ceiling = ceiling;
    if (!listener->blocked && v2_outdated(listener))
        v2_follow_changes(listener, now_ns);
    if (!listener->v2.playing || format == listener->format) {
        v2_change_format(listener, format, "asked", now_ns);
        return true;
    }
    v2_aim(listener, format, "asked", now_ns);
    if (!listener->blocked && v2_turn(listener, now_ns) && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
    return true;
}

static bool v2_on_pause(struct listener *listener, json_t *message, uint64_t now_ns)
{
    listener->v2.playing = false;
    listener->v2.aim = listener->format;
    budget_remove(&listener->loop->budget, &listener->burst);
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
    v2_tell_codec(listener, "asked");
    if (!listener->blocked && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
    return true;
}

static const struct {
    const char *type;
    bool (*handle)(struct listener *listener, json_t *message, uint64_t now_ns);
} v2_messages[] = {
    {"cancel", v2_on_cancel}, {"codec", v2_on_codec}, {"control", v2_on_control}, {"pause", v2_on_pause},
    {"ping", v2_on_ping},     {"play", v2_on_play},   {"preview", v2_on_preview}, {"range", v2_on_range},
    {"report", v2_on_report},
};

bool v2_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns)
{
    for (size_t i = 0; i < sizeof v2_messages / sizeof *v2_messages; i++)
        if (strcmp(type, v2_messages[i].type) == 0)
            return v2_messages[i].handle(listener, message, now_ns);
    return true;
}

void v2_refuse(struct listener *listener, const char *code, const char *text)
{
    v2_complain(listener, NULL, code, text);
}

void v2_binary(struct listener *listener)
{
    listener_close(listener, 1003, CLOSE_PROTOCOL, "text only");
}
