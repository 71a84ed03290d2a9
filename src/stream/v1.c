// Protocol v1: audio by client id, with tiers and reports.
#include <string.h>

#include "stream/jwt.h"
#include "stream/legacy.h"
#include "stream/subprotocol.h"

enum {
    V1_MAX_UNDERRUNS = 10,
    V1_SAMPLES_PER_CHUNK = 8820,
    V1_TOKEN_BYTES = HTTP_MAX_TARGET_BYTES,
};

#define V1_REPORT_NS (5 * NS_PER_SECOND)
#define V1_CONTROL_NS NS_PER_SECOND

static const char V1_ID_LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

static bool v1_id_ok(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len < CLIENT_ID_BYTES && strspn(id, V1_ID_LETTERS) == len && strcmp(id, "admin") != 0 &&
           strcmp(id, "system") != 0 && strcmp(id, "test") != 0;
}

// True when there is no token, or a good one.
static bool v1_token_ok(const struct listener *listener, const struct http_request *request, const char *id)
{
    char token[V1_TOKEN_BYTES];
    const struct stream_config *config = &listener->stream->config;
    const char *authorization = http_header(request, "authorization");
    const char *given = NULL;
    if (authorization && strncasecmp(authorization, "Bearer", 6) == 0 && (authorization[6] == ' ' || !authorization[6]))
        given = authorization + 6 + strspn(authorization + 6, " ");
    else if (http_query(request, "token", token, sizeof token))
        given = token;
    if (!given)
        return true;
    return config->jwt_secret &&
           jwt_valid(given, config->jwt_secret, id, clock_unix_ns(config->clock) / (int64_t)NS_PER_SECOND);
}

static bool v1_accept(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                      struct refusal *refusal)
{
    const char *id = request->path + strlen("/ws/audio/");
    char name[16];
    enum tier tier = TIER_NORMAL;
    bool tier_ok = !http_query(request, "buffer_tier", name, sizeof name) || tier_from_name(name, &tier);
    enum offer offer = subprotocol_offer(request, "auralis-v1");
    if (!v1_id_ok(id))
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "client_id is 1-64 of A-Z a-z 0-9 _ -, not reserved"};
    else if (!tier_ok)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "buffer_tier is minimal, normal, stable or defensive"};
    else if (offer == OFFER_OTHERS)
        *refusal = (struct refusal){400, "INVALID_PARAMETERS", "the subprotocol is auralis-v1"};
    else if (!v1_token_ok(listener, request, id))
        *refusal = (struct refusal){401, "UNAUTHORIZED", "the token is not valid"};
    if (refusal->status != 0)
        return false;
    strcpy(listener->legacy.client_id, id);
    accept->subprotocol = offer == OFFER_IT ? "auralis-v1" : NULL;
    legacy_accept(listener, accept, tier);
    return true;
}

static double v1_unix_s(const struct listener *listener)
{
    return (double)listener_unix_ns(listener) / (double)NS_PER_SECOND;
}

static void v1_error(struct listener *listener, const char *code, const char *message, const char *severity)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s, s:s, s:f}", "type", "error", "error_code", code,
                                            "error_message", message, "severity", severity, "timestamp",
                                            v1_unix_s(listener)));
}

static void v1_greet(struct listener *listener, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    legacy_greet(listener, now_ns);
    legacy->next_report_ns = now_ns + V1_REPORT_NS;
    json_t *config = json_pack("{s:s, s:i, s:i, s:i}", "initial_tier", tier_name(legacy->tier), "target_buffer_ms",
                               (int)tier_target_ms(legacy->tier), "chunk_duration_ms", 100, "samples_per_chunk",
                               V1_SAMPLES_PER_CHUNK);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:f, s:o, s:s}", "type", "connection_established", "client_id",
                                            legacy->client_id, "server_time", v1_unix_s(listener), "buffer_config",
                                            config, "server_version", listener->stream->config.version));
}

static void v1_audio_head(const struct listener *listener, struct text *head, uint64_t due_unix_ns)
{
    const struct legacy_state *legacy = &listener->legacy;
    text_printf(head,
                "{\"type\":\"audio\",\"chunk_id\":%llu,\"sequence\":%llu,\"timestamp\":%.6f,\"buffer_depth\":%d,"
                "\"current_tier\":\"%s\",\"sample_rate\":44100,\"format\":\"pcm16\",\"data\":\"",
                (unsigned long long)legacy->chunks_sent, (unsigned long long)legacy->chunks_sent,
                (double)due_unix_ns / (double)NS_PER_SECOND, legacy_chunks_ahead(listener), tier_name(legacy->tier));
}

static void v1_overrun(struct listener *listener)
{
    v1_error(listener, "BUFFER_OVERRUN", "fell behind, moved to a safe position", "warning");
}

static bool v1_dry(struct listener *listener, uint64_t now_ns)
{
    if (!listener->legacy.dry)
        v1_error(listener, "SERVER_OVERLOAD", "audio is late", "warning");
    listener->legacy.dry = true;
    return false;
}

static const struct legacy_words v1_words = {.audio_head = v1_audio_head, .overrun = v1_overrun, .dry = v1_dry};

static void v1_report(struct listener *listener, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    legacy->next_report_ns += V1_REPORT_NS;
    // Reports that were missed, as while the machine was asleep, are not made up for.
    if (legacy->next_report_ns <= now_ns)
        legacy->next_report_ns = now_ns + V1_REPORT_NS;
    double uptime_s = (double)(now_ns - legacy->connected_ns) / (double)NS_PER_SECOND;
    json_t *performance = json_pack("{s:I, s:I, s:I, s:f}", "chunks_sent", (json_int_t)legacy->chunks_sent,
                                    "bytes_sent", (json_int_t)legacy->bytes_sent, "underruns",
                                    (json_int_t)legacy->underruns, "connection_uptime_sec", uptime_s);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:f, s:o, s:o}", "type", "buffer_status", "client_id",
                                            legacy->client_id, "timestamp", v1_unix_s(listener), "buffer_health",
                                            legacy_health(listener, now_ns), "performance", performance));
}

static uint64_t v1_serve(struct listener *listener, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    if (legacy->underruns_together > V1_MAX_UNDERRUNS) {
        listener_close(listener, 1008, CLOSE_SLOW, "chunks are taken too late");
        return now_ns;
    }
    if (now_ns >= legacy->next_report_ns)
        v1_report(listener, now_ns);
    uint64_t next_ns = legacy_serve(listener, &v1_words, now_ns);
    return next_ns < legacy->next_report_ns ? next_ns : legacy->next_report_ns;
}

static bool v1_malformed(struct listener *listener, const char *text)
{
    v1_error(listener, "INVALID_MESSAGE", text, "error");
    return false;
}

static bool v1_on_buffer_control(struct listener *listener, json_t *message, uint64_t now_ns)
{
    struct legacy_state *legacy = &listener->legacy;
    const char *name = json_string_value(json_object_get(message, "requested_tier"));
    enum tier before = legacy->tier, tier;
    if (!name || !tier_from_name(name, &tier))
        return v1_malformed(listener, "requested_tier is minimal, normal, stable or defensive");
    if (legacy->last_control_ns != 0 && now_ns - legacy->last_control_ns < V1_CONTROL_NS) {
        v1_error(listener, "RATE_LIMIT_EXCEEDED", "one buffer_control a second", "warning");
        return false;
    }
    legacy->last_control_ns = now_ns;
    legacy->tier_fixed = true;
    legacy_set_tier(listener, tier, now_ns);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s, s:f}", "type", "buffer_control_ack", "previous_tier",
                                            tier_name(before), "new_tier", tier_name(tier), "timestamp",
                                            v1_unix_s(listener)));
    if (!listener->blocked && !listener->closing)
        listener_wake_at(listener, now_ns, now_ns);
    return true;
}

// Bad values are told in the words of both versions.
static void v1_refuse_control(struct listener *listener, const struct steering *steering)
{
    char text[256];
    enum status status = steering->wish.status;
    const char *code = status == STATUS_INVALID        ? "INVALID_PARAMETERS"
                       : status == STATUS_RATE_LIMITED ? "RATE_LIMIT_EXCEEDED"
                                                       : "SERVER_OVERLOAD";
    steer_complaint(steering, text, sizeof text);
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:f}", "type", "error", "error_code", code,
                                            "error_message", text, "message", text, "severity", "warning",
                                            "recoverable", 1, "timestamp", v1_unix_s(listener)));
}

static void v1_answered(struct listener *listener, const struct steering *steering)
{
    if (steering->wish.status == STATUS_OK)
        legacy_acknowledge(listener, steering);
    else
        v1_refuse_control(listener, steering);
}

static bool v1_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns)
{
    if (strcmp(type, "buffer_control") == 0)
        return v1_on_buffer_control(listener, message, now_ns);
    if (strcmp(type, "ping") == 0) {
        legacy_pong(listener, message);
        return true;
    }
    if (strcmp(type, "control") == 0) {
        legacy_control(listener, message);
        return true;
    }
    return v1_malformed(listener, "unknown type");
}

static void v1_refuse(struct listener *listener, const char *code, const char *text)
{
    v1_error(listener, code, text, "error");
}

static void v1_binary(struct listener *listener)
{
    (void)v1_malformed(listener, "messages are JSON texts");
    listener_violation(listener);
}

static void v1_farewell(struct listener *listener, enum close_cause cause, const char *reason)
{
    if (cause == CLOSE_SLOW)
        v1_error(listener, "PERSISTENT_UNDERRUNS", reason, "error");
    if (cause == CLOSE_FAILED)
        v1_error(listener, "SERVER_OVERLOAD", reason, "error");
}

static void v1_drain(struct listener *listener, uint64_t now_ns)
{
    (void)listener_tell(listener, json_pack("{s:s, s:s, s:f, s:f}", "type", "shutdown_warning", "reason",
                                            listener->stream->drain_reason, "drain_period_sec",
                                            (double)listener->stream->drain_period_ns / (double)NS_PER_SECOND,
                                            "timestamp", v1_unix_s(listener)));
}

const struct protocol protocol_v1 = {
    .id = STREAM_V1,
    .kind = ADMISSION_LEGACY,
    .max_message_bytes = LEGACY_MESSAGE_BYTES,
    .path = "/ws/audio/",
    .accept = v1_accept,
    .greet = v1_greet,
    .serve = v1_serve,
    .look = legacy_look,
    .accepted = legacy_accepted,
    .message = v1_message,
    .answered = v1_answered,
    .refuse = v1_refuse,
    .binary = v1_binary,
    .closed = legacy_closed,
    .farewell = v1_farewell,
    .drain = v1_drain,
};
