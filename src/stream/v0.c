// Protocol v0: audio and control on one path, nothing to choose.
#include <string.h>

#include "control/warnings.h"
#include "stream/legacy.h"
#include "stream/told.h"

static bool v0_accept(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                      struct refusal *refusal)
{
    legacy_accept(listener, accept, TIER_NORMAL);
    return true;
}

static void v0_greet(struct listener *listener, uint64_t now_ns)
{
    legacy_greet(listener, now_ns);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:i, s:i}", "type", "connected", "message",
                                            "Connected to Auralis", "sample_rate", 44100, "chunk_size_ms", 100));
}

static void v0_audio_head(const struct listener *listener, struct text *head, uint64_t due_unix_ns)
{
    text_printf(head,
                "{\"type\":\"audio\",\"timestamp\":%llu,\"sequence\":%llu,\"sample_rate\":44100,\"format\":\"pcm16\","
                "\"data\":\"",
                (unsigned long long)(due_unix_ns / NS_PER_MS), (unsigned long long)listener->legacy.chunks_sent);
}

static void v0_warn(struct listener *listener, const char *message)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s}", "type", "warning", "message", message));
}

static void v0_overrun(struct listener *listener)
{
    v0_warn(listener, "Fell behind, some audio was left out");
}

static bool v0_dry(struct listener *listener, uint64_t now_ns);

static const struct legacy_words v0_words = {.audio_head = v0_audio_head, .overrun = v0_overrun, .dry = v0_dry,
                                             .fills = true};

static bool v0_dry(struct listener *listener, uint64_t now_ns)
{
    if (!listener->legacy.dry)
        v0_warn(listener, "Audio is late, silence in its place");
    listener->legacy.dry = true;
    const char *silence = listener->stream->silence;
    return legacy_send(listener, &v0_words, NULL, silence, strlen(silence), now_ns);
}

static json_t *v0_warnings(const struct mood *mood)
{
    const char *texts[CONTROL_WARNINGS];
    json_t *warnings = json_array();
    for (int i = 0, count = warnings_of(mood, texts, CONTROL_WARNINGS); i < count; i++)
        json_array_append_new(warnings, json_string(texts[i]));
    return warnings;
}

static json_t *v0_status(const struct mood_entry *entry)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "status", "message", "Parameters updated", "parameters",
                     mood_to_json(&entry->mood), "warnings", v0_warnings(&entry->mood));
}

static uint64_t v0_serve(struct listener *listener, uint64_t now_ns)
{
    told_status(listener, TOLD_V0, v0_status);
    uint64_t next_ns = legacy_serve(listener, &v0_words, now_ns);
    return next_ns < now_ns + 100 * NS_PER_MS ? next_ns : now_ns + 100 * NS_PER_MS;
}

static void v0_error(struct listener *listener, const char *code, const char *message)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s, s:b}", "type", "error", "error_code", code, "message",
                                            message, "recoverable", 1));
}

static void v0_on_buffer_status(struct listener *listener, uint64_t now_ns)
{
    json_t *answer = json_pack("{s:s, s:f}", "type", "buffer_status", "depth_ms", legacy_depth_ms(listener, now_ns));
    json_t *health = legacy_health(listener, now_ns);
    bool whole = json_object_update(answer, health) == 0;
    json_decref(health);
    (void)listener_tell(listener, whole ? json_incref(answer) : NULL);
    json_decref(answer);
}

static void v0_answered(struct listener *listener, const struct steering *steering)
{
    char text[256];
    enum status status = steering->wish.status;
    const char *code = status == STATUS_RATE_LIMITED ? "RATE_LIMIT_EXCEEDED"
        : status == STATUS_INVALID                   ? "INVALID_PARAMETERS"
                                                     : "INTERNAL_ERROR";
    if (status == STATUS_OK)
        legacy_acknowledge(listener, steering);
    else
        v0_error(listener, code, steer_complaint(steering, text, sizeof text));
}

static bool v0_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns)
{
    if (strcmp(type, "ping") == 0) {
        legacy_pong(listener, message);
    } else if (strcmp(type, "buffer_status") == 0) {
        v0_on_buffer_status(listener, now_ns);
    } else if (strcmp(type, "control") == 0) {
        legacy_control(listener, message);
    } else {
        v0_error(listener, "INVALID_MESSAGE", "unknown type");
        return false;
    }
    return true;
}

static void v0_binary(struct listener *listener)
{
    v0_error(listener, "INVALID_MESSAGE", "messages are JSON texts");
    listener_violation(listener);
}

static void v0_farewell(struct listener *listener, enum close_cause cause, const char *reason)
{
    if (cause == CLOSE_SLOW || cause == CLOSE_FAILED)
        v0_warn(listener, reason);
}

static void v0_drain(struct listener *listener, uint64_t now_ns)
{
    v0_warn(listener, listener->stream->drain_reason);
}

const struct protocol protocol_v0 = {
    .id = STREAM_V0,
    .kind = ADMISSION_LEGACY,
    .max_message_bytes = LEGACY_MESSAGE_BYTES,
    .path = "/ws/stream",
    .accept = v0_accept,
    .greet = v0_greet,
    .serve = v0_serve,
    .look = legacy_look,
    .accepted = legacy_accepted,
    .message = v0_message,
    .answered = v0_answered,
    .refuse = v0_error,
    .binary = v0_binary,
    .closed = legacy_closed,
    .farewell = v0_farewell,
    .drain = v0_drain,
};
