// Protocol v2 (doc/protocol.md), Opus and PCM.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/frames.h"
#include "client/member.h"
#include "wire/message.h"

enum {
    V2_MAX_LEAD_FRAMES = 3600 * FRAME_RATE,    // servers have a minute at most
    V2_MAX_DELIVERY_FRAMES = 60 * FRAME_RATE,
};

static void v2_target(const struct crowd *crowd, int index, const char *format, struct text *out)
{
    const char *given = crowd->url.target;
    const struct member *member = &crowd->members[index];
    bool bare = given[0] == '\0' || strcmp(given, "/") == 0;
    text_add(out, bare ? "/ws/v2" : given);
    text_printf(out, "%cformat=%s", strchr(given, '?') ? '&' : '?', format);
    if (crowd->config->bitrate > 0)
        text_printf(out, "&bitrate=%u", crowd->config->bitrate);
    if (crowd->config->station)
        text_printf(out, "&station=%s", crowd->config->station);
    if (member->session[0])
        text_printf(out, "&session=%s", member->session);
    if (member->held_until > 0)
        text_printf(out, "&next_frame=%llu&generation=%u", (unsigned long long)member->held_until,
                    member->held_generation);
}

static void v2_target_opus(const struct crowd *crowd, int index, struct text *out)
{
    v2_target(crowd, index, "opus", out);
}

static void v2_target_pcm(const struct crowd *crowd, int index, struct text *out)
{
    v2_target(crowd, index, "pcm", out);
}

// The first frame of the delivery in which a chunk comes.
static uint64_t v2_delivery_begin(const struct member *member, uint64_t first_frame)
{
    return frames_round_down(first_frame, member->delivery_frames);
}

// Send due time of a chunk on this machine's clock. False when it cannot be one.
static bool v2_due(const struct member *member, uint64_t first_frame, int64_t now_ns, int64_t *due_ns)
{
    uint64_t begin = v2_delivery_begin(member, first_frame);
    double frame = (double)begin - (double)lead_at(&member->lead, begin) + (double)member->phase_frames;
    return clock_map_due(&member->crowd->map, frame / 48.0, now_ns, due_ns);
}

static int64_t v2_first_due_ns(const struct member *member)
{
    int64_t due_ns;
    const struct tally *tally = &member->tally;
    return tally->placed && v2_due(member, tally->steady_from, tally->connect_ns, &due_ns) ? due_ns : INT64_MAX;
}

static void v2_copy(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text ? text : "");
}

static void v2_report(struct client_report *report, json_t *hello)
{
    v2_copy(report->station, sizeof report->station, json_string_value(json_object_get(hello, "station")));
    report->decoder_delay_frames = (uint64_t)json_integer_value(json_object_get(hello, "decoder_delay_frames"));
    report->origin_unix_ms = json_number_value(json_object_get(hello, "origin_unix_ms"));
}

// What comes from now on, as `hello` and `codec` say.
static bool v2_read_format(struct member *member, json_t *message)
{
    const char *name, *id = json_string_value(json_object_get(message, "encoder_id"));
    json_int_t bitrate;
    if (json_unpack(message, "{s:s, s:I}", "format", &name, "bitrate", &bitrate) != 0)
        return false;
    if (strcmp(name, format_wire_name(FORMAT_PCM)) == 0)
        member->format = FORMAT_PCM;
    else if (strcmp(name, format_wire_name(FORMAT_OPUS)) != 0 || !format_opus_rung(bitrate, &member->format))
        return false;
    char *known = member->crowd->report->encoder_ids[member->format];
    if (known[0] == '\0')
        v2_copy(known, sizeof member->crowd->report->encoder_ids[0], id);
    return true;
}

// When that comes, likewise. Where nothing is said of deliveries, each chunk comes by itself.
static bool v2_read_delivery(struct member *member, json_t *message)
{
    json_int_t delivery = CHUNK_FRAMES, phase = (json_int_t)member->phase_frames;
    if (json_unpack(message, "{s?I, s?I}", "delivery_frames", &delivery, "phase_frames", &phase) != 0 ||
        delivery <= 0 || delivery > V2_MAX_DELIVERY_FRAMES || delivery % CHUNK_FRAMES != 0 || phase < 0 ||
        phase >= delivery)
        return false;
    member->delivery_frames = (uint64_t)delivery;
    member->phase_frames = (uint64_t)phase;
    tally_deliver(&member->tally, (uint64_t)delivery / CHUNK_FRAMES);
    return true;
}

// A burst ends within some leads.
static bool v2_burst_ok(json_int_t from, json_int_t until)
{
    return until >= from && until - from <= 4 * (json_int_t)V2_MAX_LEAD_FRAMES;
}

static bool v2_hello(struct member *member, json_t *hello, int64_t arrival_ns)
{
    json_int_t protocol, lead, first, burst_until;
    double time_ms;
    struct crowd *crowd = member->crowd;
    if (member->state != MEMBER_GREETING ||
        json_unpack(hello, "{s:I, s:F, s:I, s:I, s:I}", "protocol", &protocol, "time_ms", &time_ms, "lead_frames",
                    &lead, "first_frame", &first, "burst_until_frame", &burst_until) != 0)
        return false;
    bool in_range = lead >= 0 && lead <= V2_MAX_LEAD_FRAMES && first >= 0 && v2_burst_ok(first, burst_until);
    if (protocol != 2 || !clock_map_tells(time_ms) || !in_range || !v2_read_format(member, hello) ||
        !v2_read_delivery(member, hello))
        return false;
    member->lead = (struct lead){.frames = (uint64_t)lead};
    member->first_lead_frames = (uint64_t)lead;
    v2_copy(member->session, sizeof member->session, json_string_value(json_object_get(hello, "session")));
    if (!member->greeted) {
        tally_place(&member->tally, (uint64_t)first, (uint64_t)burst_until);
        member->plays_from = (uint64_t)first + FRAME_RATE;
    } else {
        tally_resume(&member->tally, (uint64_t)first, (uint64_t)burst_until);
    }
    double live = time_ms * 48 + CHUNK_FRAMES;
    crowd->report->resumes += member->greeted && ((uint64_t)first == member->held_until || (double)first > live);
    clock_map_guess(&crowd->map, time_ms, (uint64_t)arrival_ns);
    if (crowd->report->connected == 0)
        v2_report(crowd->report, hello);
    member_greeted(member);
    return true;
}

static bool v2_pong(struct member *member, json_t *pong, int64_t arrival_ns)
{
    double t0, t1, t2;
    if (json_unpack(pong, "{s:F, s:F, s:F}", "t0", &t0, "t1_ms", &t1, "t2_ms", &t2) != 0 ||
        !clock_map_tells(t1) || !clock_map_tells(t2))
        return false;
    crowd_pong(member->crowd, t0, t1, t2, arrival_ns);
    return true;
}

static bool v2_phase(struct member *member, json_t *message)
{
    json_int_t phase;
    if (json_unpack(message, "{s:I}", "phase_frames", &phase) != 0 || phase < 0 ||
        phase >= (json_int_t)member->delivery_frames)
        return false;
    member->phase_frames = (uint64_t)phase;
    return true;
}

// Some chunks will not come, and there may be another burst.
static bool v2_skip(struct member *member, json_t *message)
{
    json_int_t to, burst_until = (json_int_t)member->tally.burst_until;
    if (json_unpack(message, "{s:I, s?I}", "to_frame", &to, "burst_until_frame", &burst_until) != 0 || to < 0 ||
        burst_until < 0 || !member->tally.placed)
        return false;
    tally_skip(&member->tally, (uint64_t)to, (uint64_t)burst_until);
    member->skipped = true;
    return true;
}

// A change takes effect where sound is held already: that part comes again.
static bool v2_supersede(struct member *member, json_t *message)
{
    json_int_t from, generation, burst_until;
    if (json_unpack(message, "{s:I, s:I, s:I}", "from_frame", &from, "generation", &generation, "burst_until_frame",
                    &burst_until) != 0 || from < 0 || generation < 0 || generation > UINT32_MAX ||
        !v2_burst_ok(from, burst_until) || !member->tally.placed)
        return false;
    tally_supersede(&member->tally, frames_round_down((uint64_t)from, CHUNK_FRAMES), (uint64_t)burst_until);
    // Of several changes that come together the first is told, which has waited longest.
    if (member->asked_ns == 0)
        member->asked_ns = crowd_asked_ns(member->crowd, (uint32_t)generation);
    member->splice_frame = (uint64_t)from;
    member->splice_generation = (uint32_t)generation;
    member->crowd->report->splices++;
    return true;
}

// Another format or bit rate follows: a fresh decoder, fed by the preroll that comes next.
static bool v2_codec(struct member *member, json_t *message)
{
    json_int_t at, burst_until;
    if (json_unpack(message, "{s:I, s:I}", "at_frame", &at, "burst_until_frame", &burst_until) != 0 || at < 0 ||
        burst_until < 0 || member->state != MEMBER_OPEN || !v2_read_format(member, message) ||
        !v2_read_delivery(member, message))
        return false;
    tally_skip(&member->tally, (uint64_t)at, (uint64_t)burst_until);
    if (member->decoder)
        decoder_renew(member->decoder);
    member->crowd->report->format_changes++;
    return true;
}

// The lead moves gradually, and with it the due times and the end of the burst.
static bool v2_lead(struct member *member, json_t *message)
{
    json_int_t frames, from, burst_until;
    if (json_unpack(message, "{s:I, s:I, s:I}", "lead_frames", &frames, "from_frame", &from, "burst_until_frame",
                    &burst_until) != 0 || frames < 0 || frames > V2_MAX_LEAD_FRAMES || from < 0 || burst_until < 0 ||
        !member->tally.placed)
        return false;
    lead_move(&member->lead, (uint64_t)frames, (uint64_t)from);
    tally_end_burst(&member->tally, (uint64_t)burst_until);
    return true;
}

// How much later a chunk is due than it would have been under the first lead.
static int64_t v2_moved_ns(const struct member *member, uint64_t first_frame)
{
    uint64_t lead_frames = lead_at(&member->lead, v2_delivery_begin(member, first_frame));
    int64_t frames = (int64_t)(member->first_lead_frames - lead_frames);
    return frames * (int64_t)NS_PER_SECOND / FRAME_RATE;
}

static void v2_complaint(struct member *member, const char *type, json_t *message)
{
    const char *code = json_string_value(json_object_get(message, "code"));
    const char *words = json_string_value(json_object_get(message, strcmp(type, "error") == 0 ? "message" : "reason"));
    crowd_failure(member->crowd, "%s from the server: %s %s", type, code ? code : "", words ? words : "");
    member->crowd->report->protocol_errors += strcmp(type, "error") == 0;
}

static bool v2_ack(struct member *member, json_t *message)
{
    const char *id = NULL;
    json_int_t sequence;
    unsigned long long number;
    if (json_unpack(message, "{s?s, s:I}", "id", &id, "sequence", &sequence) != 0 || sequence < 0 ||
        sequence > UINT32_MAX)
        return false;
    if (id && sscanf(id, "steer-%llu", &number) == 1)
        crowd_steered(member->crowd, number, (uint32_t)sequence);
    return true;
}

static bool v2_message(struct member *member, json_t *message, int64_t arrival_ns)
{
    const char *type = json_string_value(json_object_get(message, "type"));
    if (!type)
        return false;
    if (strcmp(type, "hello") == 0)
        return v2_hello(member, message, arrival_ns);
    if (strcmp(type, "pong") == 0)
        return v2_pong(member, message, arrival_ns);
    if (strcmp(type, "phase") == 0)
        return v2_phase(member, message);
    if (strcmp(type, "skip") == 0)
        return v2_skip(member, message);
    if (strcmp(type, "supersede") == 0)
        return v2_supersede(member, message);
    if (strcmp(type, "ack") == 0)
        return v2_ack(member, message);
    if (strcmp(type, "lead") == 0)
        return v2_lead(member, message);
    if (strcmp(type, "codec") == 0)
        return v2_codec(member, message);
    if (strcmp(type, "error") == 0 || strcmp(type, "goodbye") == 0)
        v2_complaint(member, type, message);
    return true;
}

static bool v2_text(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns)
{
    json_t *message = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    bool good = message && v2_message(member, message, arrival_ns);
    json_decref(message);
    return good;
}

// A chunk comes in time while nothing of it is heard yet; one that comes again, nothing of what it changes.
static void v2_judge_arrival(struct member *member, const struct message_header *header, int64_t arrival_ns)
{
    struct client_report *report = member->crowd->report;
    uint64_t first = header->first_frame, changed = first > member->splice_frame ? first : member->splice_frame;
    int64_t heard_ns;
    if (header->flags & MESSAGE_PREROLL)
        return;
    member->held_until = first + header->frame_count;
    member->held_generation = header->generation;
    if (first >= member->plays_from && first >= member->tally.furthest &&
        clock_map_due(&member->crowd->map, (double)first / 48.0, arrival_ns, &heard_ns))
        report->dry += arrival_ns > heard_ns;
    if (member->held_until <= member->splice_frame)
        return;
    report->stale += header->generation < member->splice_generation && !(header->flags & MESSAGE_HELD);
    if (!clock_map_due(&member->crowd->map, (double)changed / 48.0, arrival_ns, &heard_ns))
        return;
    report->late_switches += first < member->tally.furthest && arrival_ns > heard_ns;
    int64_t played_ns = arrival_ns > heard_ns ? arrival_ns : heard_ns;
    if (member->asked_ns != 0)
        histogram_record(&report->control_to_ear, (uint64_t)(played_ns - member->asked_ns));
    member->asked_ns = 0;
}

static bool v2_binary(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns)
{
    struct message_header header;
    const uint8_t *payload;
    size_t payload_len;
    int64_t due_ns, heard_ns;
    if (member->state != MEMBER_OPEN || !message_read(bytes, len, &header, &payload, &payload_len) ||
        header.codec != (format_is_opus(member->format) ? MESSAGE_CODEC_OPUS : MESSAGE_CODEC_PCM))
        return false;
    if (!(header.flags & MESSAGE_PREROLL) &&
        (header.first_frame % CHUNK_FRAMES != 0 || header.frame_count != CHUNK_FRAMES))
        return false;
    if (!v2_due(member, header.first_frame, arrival_ns, &due_ns) ||
        !clock_map_due(&member->crowd->map, (double)header.first_frame / 48.0, arrival_ns, &heard_ns))
        return false;
    v2_judge_arrival(member, &header, arrival_ns);
    if (member->skipped && !(header.flags & MESSAGE_PREROLL)) {
        header.flags |= MESSAGE_DISCONTINUITY;
        member->skipped = false;
    }
    struct client_chunk chunk = {
        .first_frame = header.first_frame, .frame_count = header.frame_count, .generation = header.generation,
        .flags = header.flags, .payload = payload, .payload_bytes = payload_len, .packet_bytes = header.packet_bytes,
        .packet_count = header.packet_count, .burst = tally_is_burst(&member->tally, header.first_frame),
        .arrival_ns = arrival_ns, .due_ns = due_ns, .heard_ns = heard_ns,
        .moved_ns = v2_moved_ns(member, header.first_frame),
    };
    member_chunk(member, &chunk);
    return true;
}

static void v2_ping(struct text *out, int64_t stamp)
{
    text_printf(out, "{\"type\":\"ping\",\"t0\":%lld}", (long long)stamp);
}

static void v2_change(struct member *member)
{
    char body[64];
    struct text text = text_on(body, sizeof body);
    enum format next = format_lower(member->format);
    text_printf(&text, "{\"type\":\"codec\",\"bitrate\":%u}",
                format_bitrate(next != member->format ? next : FORMAT_OPUS));
    member_send_text(member, text.bytes, text.len);
}

// In steps of the golden ratio, between quiet and busy.
static void v2_steer(struct member *member, uint64_t number)
{
    char body[96];
    struct text text = text_on(body, sizeof body);
    double turn = (double)number * 0.6180339887, intensity = 0.2 + 0.6 * (turn - floor(turn));
    text_printf(&text, "{\"type\":\"control\",\"id\":\"steer-%llu\",\"parameters\":{\"intensity\":%.3f}}",
                (unsigned long long)number, intensity);
    member_send_text(member, text.bytes, text.len);
}

const struct dialect dialect_opus = {
    .subprotocol = "auralis-v2", .span = CHUNK_FRAMES, .target = v2_target_opus, .text = v2_text,
    .binary = v2_binary, .first_due_ns = v2_first_due_ns, .ping = v2_ping, .change = v2_change,
    .steer = v2_steer,
};

const struct dialect dialect_pcm = {
    .subprotocol = "auralis-v2", .span = CHUNK_FRAMES, .target = v2_target_pcm, .text = v2_text,
    .binary = v2_binary, .first_due_ns = v2_first_due_ns, .ping = v2_ping, .steer = v2_steer,
};
