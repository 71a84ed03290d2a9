// Protocols v1 and v0, those of the first Auralis: JSON texts with base64 in them, unix times.
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/frames.h"
#include "client/member.h"
#include "encode/encode.h"

enum { LEGACY_NORMAL_CHUNKS = 5, LEGACY_CHUNK_MS = 100, LEGACY_MAX_TARGET_MS = 3600 * 1000 };

static bool legacy_given(const struct crowd *crowd, struct text *out)
{
    bool given = crowd->url.target[0] != '\0' && strcmp(crowd->url.target, "/") != 0;
    if (given)
        text_add(out, crowd->url.target);
    return given;
}

static void legacy_target_v0(const struct crowd *crowd, int index, struct text *out)
{
    if (!legacy_given(crowd, out))
        text_add(out, "/ws/stream");
}

static void legacy_target_v1(const struct crowd *crowd, int index, struct text *out)
{
    if (legacy_given(crowd, out))
        return;
    text_printf(out, "/ws/audio/listen-%ld-%d", (long)getpid(), index);
    if (crowd->config->buffer_tier)
        text_printf(out, "?buffer_tier=%s", crowd->config->buffer_tier);
}

static int64_t legacy_first_due_ns(const struct member *member)
{
    return INT64_MAX;
}

static bool legacy_greeting(struct member *member, json_t *message)
{
    json_t *target = json_object_get(json_object_get(message, "buffer_config"), "target_buffer_ms");
    if (member->state != MEMBER_GREETING)
        return false;
    double target_ms = json_is_number(target) ? json_number_value(target) : LEGACY_NORMAL_CHUNKS * LEGACY_CHUNK_MS;
    if (!(target_ms >= 0 && target_ms <= LEGACY_MAX_TARGET_MS))
        return false;
    member->burst_chunks = (uint64_t)(target_ms / LEGACY_CHUNK_MS);
    member_greeted(member);
    return true;
}

// v0's server_time is whole milliseconds, cut off: half of one is added.
static bool legacy_pong(struct member *member, json_t *message, int64_t arrival_ns)
{
    json_t *stamp = json_object_get(message, "client_time"), *time = json_object_get(message, "server_time");
    if (!json_is_number(stamp) || !json_is_number(time))
        return false;
    double time_ms = json_number_value(time) + (json_is_integer(time) ? .5 : 0);
    if (!clock_map_tells(time_ms))
        return false;
    crowd_pong(member->crowd, json_number_value(stamp), time_ms, time_ms, arrival_ns);
    return true;
}

static void legacy_complaint(struct member *member, const char *type, json_t *message)
{
    const char *code = json_string_value(json_object_get(message, "error_code"));
    const char *words = json_string_value(json_object_get(message, "message"));
    if (!words)
        words = json_string_value(json_object_get(message, "error_message"));
    crowd_failure(member->crowd, "%s from the server: %s %s", type, code ? code : "", words ? words : "");
}

// v1 tells unix seconds, v0 milliseconds.
static double legacy_due_ms(json_t *message)
{
    json_t *time = json_object_get(message, "timestamp");
    return json_is_integer(time) ? (double)json_integer_value(time) : json_real_value(time) * 1000;
}

// Where the stream begins, and what counts as its burst: the tier's worth, and whatever comes before the server's clock
// is known, since that has no due time.
static void legacy_place(struct member *member, uint64_t sequence)
{
    struct tally *tally = &member->tally;
    if (!tally->placed)
        tally_place(tally, sequence, sequence + member->burst_chunks);
    else if (!member->crowd->map.known && sequence >= tally->burst_until)
        tally_skip(tally, sequence, sequence + 1);
}

static bool legacy_audio(struct member *member, json_t *message, const char *data, size_t data_len,
                         int64_t arrival_ns)
{
    uint8_t pcm[FORMAT_LEGACY_BASE64_BYTES / 4 * 3];
    json_int_t sequence, rate;
    if (member->state != MEMBER_OPEN || data_len != FORMAT_LEGACY_BASE64_BYTES ||
        json_unpack(message, "{s:I, s:I}", "sequence", &sequence, "sample_rate", &rate) != 0 ||
        rate != FORMAT_LEGACY_RATE || sequence < 0 || sequence > UINT32_MAX)
        return false;
    long bytes = base64_decode(data, data_len, pcm);
    if (bytes != FORMAT_LEGACY_FRAMES * CHANNELS * 2)
        return false;
    int64_t due_ns;
    double due_ms = legacy_due_ms(message);
    if (!clock_map_due(&member->crowd->map, due_ms, arrival_ns, &due_ns))
        return false;
    legacy_place(member, (uint64_t)sequence);
    struct client_chunk chunk = {
        .first_frame = (uint64_t)sequence, .frame_count = FORMAT_LEGACY_FRAMES, .payload = pcm,
        .payload_bytes = (size_t)bytes, .burst = tally_is_burst(&member->tally, (uint64_t)sequence),
        .arrival_ns = arrival_ns, .due_ns = due_ns,
        .due_unix_ms = due_ms,
    };
    member_chunk(member, &chunk);
    return true;
}

static bool legacy_message(struct member *member, json_t *message, const char *data, size_t data_len,
                           int64_t arrival_ns)
{
    const char *type = json_string_value(json_object_get(message, "type"));
    if (!type)
        return false;
    if (strcmp(type, "audio") == 0)
        return legacy_audio(member, message, data, data_len, arrival_ns);
    if (strcmp(type, "connected") == 0 || strcmp(type, "connection_established") == 0)
        return legacy_greeting(member, message);
    if (strcmp(type, "pong") == 0)
        return legacy_pong(member, message, arrival_ns);
    if (strcmp(type, "error") == 0 || strcmp(type, "warning") == 0 || strcmp(type, "shutdown_warning") == 0)
        legacy_complaint(member, type, message);
    return true;
}

// Where the audio stands in a message. NULL when there is none. Base64 knows no escapes, so a quote ends it.
static const char *legacy_data(const char *text, size_t len, size_t *data_len)
{
    static const char key[] = "\"data\"";
    const char *end = text + len, *at = memmem(text, len, key, sizeof key - 1);
    if (!at)
        return NULL;
    at += sizeof key - 1;
    while (at < end && (*at == ':' || *at == ' '))
        at++;
    if (at == end || *at++ != '"')
        return NULL;
    const char *quote = memchr(at, '"', (size_t)(end - at));
    *data_len = quote ? (size_t)(quote - at) : 0;
    return quote ? at : NULL;
}

// The long text of base64 is cut out before the rest is parsed: that would be nine tenths of the work.
static bool legacy_text(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns)
{
    char rest[4096];
    const char *text = (const char *)bytes;
    size_t data_len = 0;
    const char *data = legacy_data(text, len, &data_len);
    size_t head_len = data ? (size_t)(data - text) : len, tail_len = len - head_len - data_len;
    if (head_len + tail_len > sizeof rest)
        return false;
    memcpy(rest, text, head_len);
    memcpy(rest + head_len, text + len - tail_len, tail_len);
    json_t *message = json_loadb(rest, head_len + tail_len, JSON_REJECT_DUPLICATES, NULL);
    bool good = message && legacy_message(member, message, data, data_len, arrival_ns);
    json_decref(message);
    return good;
}

static bool legacy_binary(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns)
{
    return false;
}

static void legacy_ping(struct text *out, int64_t stamp)
{
    text_printf(out, "{\"type\":\"ping\",\"client_time\":%lld}", (long long)stamp);
}

const struct dialect dialect_v0 = {
    .span = 1, .unix_time = true, .target = legacy_target_v0, .text = legacy_text, .binary = legacy_binary,
    .first_due_ns = legacy_first_due_ns, .ping = legacy_ping,
};

const struct dialect dialect_v1 = {
    .subprotocol = "auralis-v1", .span = 1, .unix_time = true, .target = legacy_target_v1, .text = legacy_text,
    .binary = legacy_binary, .first_due_ns = legacy_first_due_ns, .ping = legacy_ping,
};
