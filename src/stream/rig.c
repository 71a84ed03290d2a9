#include "stream/rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "wire/message.h"

enum { RIG_PATIENCE_MS = 10000, RIG_LEGACY_BYTES = 23520, RIG_PCM_BYTES = CHUNK_FRAMES * 4 };

static void rig_request(void *context, const struct http_request *request, struct http_response *response)
{
    http_respond(response, 404, "text/plain", "", 0);
}

static void rig_bytes(uint64_t purpose, uint64_t frame, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)random_u64(frame, purpose, i);
}

size_t rig_packet(enum format format, uint64_t frame, int packet, uint8_t *out)
{
    size_t len = format_bitrate(format) / 512 + random_below(frame, 1, (uint64_t)packet, 150);
    rig_bytes(100 * (1 + (uint64_t)format) + (uint64_t)packet, frame, out, len);
    return len;
}

// Returns the bytes.
static size_t rig_opus(enum format format, uint64_t frame, uint8_t *out, uint16_t *packet_bytes)
{
    size_t len = 0;
    for (int i = 0; i < CHUNK_PACKETS; i++)
        len += packet_bytes[i] = (uint16_t)rig_packet(format, frame, i, out + len);
    return len;
}

static uint32_t rig_generation;   // of what is published and expected

void rig_set_generation(uint32_t generation)
{
    rig_generation = generation;
}

size_t rig_chunk(enum format format, uint64_t frame, uint8_t *out, uint16_t *packet_bytes)
{
    uint8_t payload[RIG_CHUNK_BYTES];
    struct message_header header = {.codec = MESSAGE_CODEC_PCM, .first_frame = frame, .frame_count = CHUNK_FRAMES,
                                    .generation = rig_generation};
    size_t len = RIG_PCM_BYTES;
    if (format == FORMAT_LEGACY) {
        for (size_t i = 0; i < RIG_LEGACY_BYTES; i++)
            out[i] = (uint8_t)('A' + random_u64(frame, 3, (uint64_t)rig_generation << 32 | i) % 26);
        return RIG_LEGACY_BYTES;
    }
    if (format_is_opus(format)) {
        header.codec = MESSAGE_CODEC_OPUS;
        header.packet_count = CHUNK_PACKETS;
        len = rig_opus(format, frame, payload, header.packet_bytes);
        memcpy(packet_bytes, header.packet_bytes, CHUNK_PACKETS * sizeof *packet_bytes);
    } else {
        rig_bytes(2, frame, payload, len);
    }
    size_t at = websocket_write_head(out, WEBSOCKET_BINARY, message_header_bytes(&header) + len);
    at += message_write(&header, out + at);
    memcpy(out + at, payload, len);
    return at + len;
}

void rig_publish_one(struct rig *rig, enum format format, uint64_t frame)
{
    struct chunk *chunk = timeline_chunk(rig->station.timeline, format);
    assert_non_null(chunk);
    chunk->first_frame = frame;
    chunk->frame_count = CHUNK_FRAMES;
    chunk->generation = rig_generation;
    chunk->packet_count = format_is_opus(format) ? CHUNK_PACKETS : 0;
    chunk->payload_offset = 0;
    chunk->len = (uint32_t)rig_chunk(format, frame, chunk->bytes, chunk->packet_bytes);
    timeline_publish(rig->station.timeline, chunk, chunk->generation);
}

void rig_publish(struct rig *rig, uint64_t from, int count)
{
    for (int format = 0; format < FORMAT_COUNT; format++)
        for (int i = 0; i < count; i++)
            rig_publish_one(rig, (enum format)format, from + (uint64_t)i * CHUNK_FRAMES);
}

void rig_event(struct rig *rig, enum event_record_kind kind, uint64_t at_frame, const char *text)
{
    struct event_record record = {.at_frame = at_frame, .kind = (uint8_t)kind, .text_len = (uint16_t)strlen(text)};
    strcpy(record.text, text);
    timeline_publish_event(rig->station.timeline, &record);
}

struct stream_config rig_config(void)
{
    return (struct stream_config){.max_listeners = 100, .version = "0.1.0"};
}

// Waits at the gate, if there is one.
static enum status rig_keep(void *context, const struct control_entry *entry)
{
    struct rig *rig = context;
    struct wakeup *gate = atomic_load(&rig->gate);
    atomic_fetch_add(&rig->at_gate, 1);
    while (gate && !wakeup_wait(gate, UINT64_MAX)) {
    }
    return rig->refusal;
}

static void rig_station(struct rig *rig, uint64_t lead_frames)
{
    struct timeline_config timeline = {0};
    for (int i = 0; i < FORMAT_COUNT; i++) {
        timeline.chunks_kept[i] = RIG_KEPT;
        timeline.chunk_bytes[i] = RIG_CHUNK_BYTES;
    }
    uint64_t now = clock_now_ns(&rig->clock);
    rig->station = (struct stream_station){
        .name = "main",
        .seed = UINT64_MAX,
        .origin_ns = now - frames_to_ns(RIG_LIVE_FRAME),
        .origin_unix_ns = clock_unix_ns(&rig->clock) - (int64_t)frames_to_ns(RIG_LIVE_FRAME),
        .lead_frames = lead_frames,
        .decoder_delay_frames = 312,
        .encoder_ids = {[FORMAT_OPUS] = "rig 128", [FORMAT_OPUS_64] = "rig 64", [FORMAT_OPUS_32] = "rig 32"},
        .timeline = timeline_create(&timeline),
    };
    rig->station.sequencer = sequencer_create(&(struct control_config){
        .clock = &rig->clock, .origin_ns = rig->station.origin_ns, .guard_frames = 9600, .mood = mood_default(),
        .keep = rig_keep, .keep_context = rig});
    assert_non_null(rig->station.timeline);
    assert_non_null(rig->station.sequencer);
}

void rig_begin(struct rig *rig, const struct stream_config *config, double speed)
{
    rig_begin_ahead(rig, config, speed, RIG_LEAD_FRAMES);
}

void rig_begin_ahead(struct rig *rig, const struct stream_config *config, double speed, uint64_t lead_frames)
{
    *rig = (struct rig){0};
    rig_set_generation(0);
    if (speed > 0)
        clock_init(&rig->clock, speed);
    else
        clock_init_virtual(&rig->clock, RIG_NOW_NS, RIG_UNIX_NS);
    rig_station(rig, lead_frames);
    struct stream_config full = *config;
    full.clock = &rig->clock;
    full.stations = &rig->station;
    full.station_count = 1;
    assert_int_equal(stream_create(&rig->stream, &full), STATUS_OK);
    struct net_handlers handlers = stream_handlers(rig->stream);
    handlers.request = rig_request;
    assert_int_equal(net_create(&rig->server, &(struct net_config){.address = "127.0.0.1", .loops = 1,
                                                                   .clock = &rig->clock, .handlers = &handlers,
                                                                   .server_name = "rig"}),
                     STATUS_OK);
    stream_attach(rig->stream, rig->server);
    rig->port = net_port(rig->server);
}

void rig_begin_usual(struct rig *rig)
{
    struct stream_config config = rig_config();
    rig_begin(rig, &config, 0);
    rig_publish(rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 60);
}

void rig_end(struct rig *rig)
{
    stream_detach(rig->stream);
    net_destroy(rig->server);
    assert_int_equal(stream_listeners(rig->stream), 0);
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_readers(rig->station.timeline, (enum format)i), 0);
    stream_destroy(rig->stream);
    sequencer_destroy(rig->station.sequencer);
    timeline_destroy(rig->station.timeline);
}

void rig_advance_ms(struct rig *rig, uint64_t ms)
{
    clock_advance(&rig->clock, ms * NS_PER_MS);
}

void rig_wait(bool (*holds)(struct rig *rig), struct rig *rig)
{
    for (int i = 0; i < RIG_PATIENCE_MS; i++) {
        if (holds(rig))
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fail_msg("waited in vain");
}

bool rig_deserted(struct rig *rig)
{
    return stream_listeners(rig->stream) == 0;
}

bool rig_gave_one_up(struct rig *rig)
{
    rig_advance_ms(rig, 50);
    return stream_stats(rig->stream)->closed_slow > 0;
}

static size_t guest_read(struct guest *guest, void *bytes, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = recv(guest->fd, (uint8_t *)bytes + got, len - got, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

static void guest_read_head(struct guest *guest)
{
    size_t len = 0;
    while (len < sizeof guest->head - 1 && guest_read(guest, guest->head + len, 1) == 1) {
        guest->head[++len] = '\0';
        if (len >= 4 && memcmp(guest->head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    assert_int_equal(sscanf(guest->head, "HTTP/1.1 %d", &guest->status), 1);
}

void guest_open(struct guest *guest, struct rig *rig, const char *target, const char *headers, bool small)
{
    *guest = (struct guest){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct timeval patience = {.tv_sec = RIG_PATIENCE_MS / 1000};
    setsockopt(guest->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(guest->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (small)
        setsockopt(guest->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(rig->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(guest->fd, (struct sockaddr *)&address, sizeof address), 0);
    char request[4096];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       target, rig->port, headers ? headers : "");
    assert_int_equal(send(guest->fd, request, (size_t)len, MSG_NOSIGNAL), len);
    guest_read_head(guest);
}

void guest_end(struct guest *guest)
{
    close(guest->fd);
    free(guest->bytes);
    *guest = (struct guest){.fd = -1};
}

static int guest_next_any(struct guest *guest)
{
    uint8_t head[WEBSOCKET_MAX_HEAD_BYTES];
    struct websocket_head frame;
    size_t have = 0;
    guest->opcode = -1;
    int head_len = 0;
    while (head_len == 0) {
        if (guest_read(guest, head + have, 1) != 1)
            return -1;
        head_len = websocket_read_head(head, ++have, &frame);
    }
    assert_true(head_len > 0 && frame.fin && !frame.masked);
    guest->bytes = realloc(guest->bytes, frame.payload_bytes + 1);
    guest->len = guest_read(guest, guest->bytes, frame.payload_bytes);
    guest->bytes[guest->len] = '\0';
    if (guest->len < frame.payload_bytes)
        return -1;
    return guest->opcode = frame.opcode;
}

int guest_next(struct guest *guest)
{
    while (guest_next_any(guest) == WEBSOCKET_PING)
        guest_send(guest, WEBSOCKET_PONG, guest->bytes, guest->len);
    return guest->opcode;
}

json_t *guest_json(struct guest *guest)
{
    assert_int_equal(guest_next(guest), WEBSOCKET_TEXT);
    json_t *message = json_loadb((const char *)guest->bytes, guest->len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(message);
    assert_true(json_is_string(json_object_get(message, "type")));
    return message;
}

json_t *guest_await(struct guest *guest, const char *type)
{
    for (;;) {
        int opcode = guest_next(guest);
        if (opcode != WEBSOCKET_TEXT && opcode != WEBSOCKET_BINARY)
            fail_msg("the connection ended before a %s (opcode %d)", type, opcode);
        if (opcode != WEBSOCKET_TEXT)
            continue;
        json_t *message = json_loadb((const char *)guest->bytes, guest->len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(message);
        if (strcmp(json_text(message, "type"), type) == 0)
            return message;
        json_decref(message);
    }
}

void guest_await_binary(struct guest *guest)
{
    while (guest_next(guest) == WEBSOCKET_TEXT) {
    }
    assert_int_equal(guest->opcode, WEBSOCKET_BINARY);
}

void guest_send(struct guest *guest, int opcode, const void *bytes, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    uint8_t *frame = malloc(len + WEBSOCKET_MAX_HEAD_BYTES);
    size_t at = websocket_write_head(frame, (enum websocket_opcode)opcode, len);
    frame[1] |= 0x80;
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        frame[at + i] = ((const uint8_t *)bytes)[i] ^ mask[i % 4];
    (void)!send(guest->fd, frame, at + len, MSG_NOSIGNAL);
    free(frame);
}

void guest_say(struct guest *guest, const char *text)
{
    guest_send(guest, WEBSOCKET_TEXT, text, strlen(text));
}

int guest_close_code(struct guest *guest)
{
    for (;;) {
        int opcode = guest_next(guest);
        if (opcode == WEBSOCKET_CLOSE && guest->len >= 2)
            return guest->bytes[0] << 8 | guest->bytes[1];
        if (opcode == WEBSOCKET_CLOSE || opcode < 0)
            return 1006;
    }
}

const char *json_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text)
        fail_msg("no text %s", name);
    return text;
}

json_int_t json_whole(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        fail_msg("no integer %s", name);
    return json_integer_value(value);
}

double json_real_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value))
        fail_msg("no number %s", name);
    return json_number_value(value);
}

void guest_expect_chunk(struct guest *guest, enum format format, uint64_t frame)
{
    uint8_t wanted[RIG_CHUNK_BYTES];
    uint16_t packet_bytes[MESSAGE_MAX_PACKETS];
    guest_await_binary(guest);
    size_t len = rig_chunk(format, frame, wanted, packet_bytes);
    size_t head = len - guest->len;
    assert_int_equal(head, 4);
    assert_memory_equal(guest->bytes, wanted + head, guest->len);
}

void guest_expect_preroll(struct guest *guest, enum format format, uint64_t frame, int packets)
{
    struct message_header header;
    const uint8_t *payload;
    size_t len;
    guest_await_binary(guest);
    assert_true(message_read(guest->bytes, guest->len, &header, &payload, &len));
    assert_int_equal(header.flags, MESSAGE_PREROLL);
    assert_int_equal(header.codec, MESSAGE_CODEC_OPUS);
    assert_int_equal(header.packet_count, packets);
    assert_int_equal(header.frame_count, packets * PACKET_FRAMES);
    assert_int_equal(header.first_frame, frame - (uint64_t)packets * PACKET_FRAMES);
    for (int i = 0; i < packets; i++) {
        uint8_t packet[2000];
        uint64_t at = header.first_frame + (uint64_t)i * PACKET_FRAMES;
        int number = (int)(at % CHUNK_FRAMES / PACKET_FRAMES);
        size_t wanted = rig_packet(format, frames_round_down(at, CHUNK_FRAMES), number, packet);
        assert_int_equal(header.packet_bytes[i], wanted);
        assert_memory_equal(payload, packet, wanted);
        payload += wanted;
    }
}

void guest_expect_silence(struct guest *guest)
{
    guest_say(guest, "{\"type\":\"ping\",\"t0\":1}");
    for (;;) {
        json_t *message = guest_json(guest);
        bool pong = strcmp(json_text(message, "type"), "pong") == 0;
        json_decref(message);
        if (pong)
            return;
    }
}
