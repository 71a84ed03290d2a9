// The whole client against a small server with planted faults.
#include "client/client.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frames.h"
#include "client/decoder.h"
#include "client/upgrade.h"
#include "encode/encode.h"
#include "os/clock.h"
#include "wire/message.h"
#include "wire/websocket.h"

enum { FIRST = 27, BURST = 3, CHUNKS = 12, LEAD_CHUNKS = 20, PCM_BYTES = CHUNK_FRAMES * 4,
       CHANGE_AT = 6, PREROLL_CHUNKS = 3 };

// What goes wrong at one connection.
struct plan {
    int hole_at, late_at;        // chunk numbers, 0: none
    double clock_speed;          // 0: real time
    bool refuse, close_early, no_greeting, fragmented, ping_first;
    bool change, change_unsaid;  // Opus at 128 kb/s, from CHANGE_AT on at 64
};

struct server {
    struct plan plan;
    int fd;
    uint16_t port;
    pthread_t thread;
    struct clock clock;
    uint64_t start_ns;           // when the first steady chunk is due in 30 ms
    uint64_t pongs;              // answers to our pings
};

// When a chunk is due, in programme time: position - lead + phase.
static double due_ms(int number)
{
    return (FIRST + number - LEAD_CHUNKS) * 100 + 10;
}

static double programme_ms(const struct server *server)
{
    return due_ms(BURST) - 30 + (double)(clock_now_ns(&server->clock) - server->start_ns) / 1e6;
}

static void put(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void put_frame(int fd, enum websocket_opcode opcode, const void *payload, size_t len, bool fragmented)
{
    uint8_t head[WEBSOCKET_MAX_HEAD_BYTES];
    size_t cut = fragmented ? len / 3 : len;
    size_t head_len = websocket_write_head(head, opcode, cut);
    if (fragmented)
        head[0] &= 0x7f;
    put(fd, head, head_len);
    put(fd, payload, cut);
    if (!fragmented)
        return;
    put_frame(fd, WEBSOCKET_PING, "x", 1, false);
    put(fd, head, websocket_write_head(head, WEBSOCKET_CONTINUATION, len - cut));
    put(fd, (const uint8_t *)payload + cut, len - cut);
}

static void put_text(int fd, const char *text)
{
    put_frame(fd, WEBSOCKET_TEXT, text, strlen(text), false);
}

static void greet(struct server *server, int fd)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"type\":\"hello\",\"protocol\":2,\"version\":\"1\",\"station\":\"main\","
             "\"seed\":\"18446744073709551615\",\"time_ms\":%f,\"origin_unix_ms\":5,\"lead_frames\":%d,"
             "\"delivery_frames\":4800,\"phase_frames\":480,\"first_frame\":%d,"
             "\"burst_until_frame\":%d,\"decoder_delay_frames\":0,%s}",
             programme_ms(server), LEAD_CHUNKS * CHUNK_FRAMES, FIRST * CHUNK_FRAMES, (FIRST + BURST) * CHUNK_FRAMES,
             server->plan.change ? "\"format\":\"opus\",\"bitrate\":128000,\"encoder_id\":\"one\""
                                 : "\"format\":\"pcm\",\"bitrate\":0,\"encoder_id\":\"\"");
    put_text(fd, text);
}

static void put_chunk(const struct server *server, int fd, int number)
{
    static uint8_t bytes[MESSAGE_HEADER_BYTES + PCM_BYTES];
    struct message_header header = {.codec = MESSAGE_CODEC_PCM, .frame_count = CHUNK_FRAMES,
                                    .first_frame = (uint64_t)(FIRST + number) * CHUNK_FRAMES};
    size_t len = message_write(&header, bytes) + PCM_BYTES;
    memset(bytes + MESSAGE_HEADER_BYTES, number, PCM_BYTES);
    put_frame(fd, WEBSOCKET_BINARY, bytes, len, server->plan.fragmented);
}

// Packets of a tone at two bit rates, whole messages.
struct packets {
    struct message_header header;
    uint8_t bytes[MESSAGE_MAX_PACKETS * 1275];
    size_t len;
};

static struct packets tone[2][CHUNKS], tone_preroll;

static void make_tone(const struct encoder *encoder, struct packets *out)
{
    static float pcm[CHUNK_FRAMES * CHANNELS];
    void *state = aligned_alloc(64, (encoder->state_bytes / 64 + 1) * 64);
    assert_int_equal(encoder->init(state), STATUS_OK);
    for (int n = 0; n < CHUNKS; n++) {
        for (int i = 0; i < CHUNK_FRAMES * CHANNELS; i++)
            pcm[i] = .3f * sinf((float)(n * CHUNK_FRAMES + i / CHANNELS) * (i % CHANNELS ? .05f : .08f));
        struct encode_input input = {.first_frame = (uint64_t)n * CHUNK_FRAMES, .pcm = pcm, .before = pcm};
        struct encode_output output = {.bytes = out[n].bytes};
        assert_int_equal(encoder->encode(state, &input, &output), STATUS_OK);
        out[n].header = (struct message_header){.codec = MESSAGE_CODEC_OPUS, .packet_count = CHUNK_PACKETS,
                                                .first_frame = (uint64_t)(FIRST + n) * CHUNK_FRAMES,
                                                .frame_count = CHUNK_FRAMES};
        memcpy(out[n].header.packet_bytes, output.packet_bytes, sizeof output.packet_bytes);
        out[n].len = output.len;
    }
    free(state);
}

static void make_tones(void)
{
    make_tone(&encoder_opus, tone[0]);
    make_tone(&encoder_opus_64, tone[1]);
    tone_preroll = (struct packets){.header = tone[1][CHANGE_AT - PREROLL_CHUNKS].header};
    tone_preroll.header.flags = MESSAGE_PREROLL;
    tone_preroll.header.packet_count = PREROLL_CHUNKS * CHUNK_PACKETS;
    tone_preroll.header.frame_count = PREROLL_CHUNKS * CHUNK_FRAMES;
    for (int i = 0; i < PREROLL_CHUNKS; i++) {
        const struct packets *chunk = &tone[1][CHANGE_AT - PREROLL_CHUNKS + i];
        memcpy(tone_preroll.header.packet_bytes + i * CHUNK_PACKETS, chunk->header.packet_bytes,
               CHUNK_PACKETS * sizeof chunk->header.packet_bytes[0]);
        memcpy(tone_preroll.bytes + tone_preroll.len, chunk->bytes, chunk->len);
        tone_preroll.len += chunk->len;
    }
}

static void put_packets(int fd, const struct packets *packets)
{
    static uint8_t bytes[MESSAGE_HEADER_BYTES + 2 * MESSAGE_MAX_PACKETS + sizeof packets->bytes];
    size_t head = message_write(&packets->header, bytes);
    memcpy(bytes + head, packets->bytes, packets->len);
    put_frame(fd, WEBSOCKET_BINARY, bytes, head + packets->len, false);
}

static void put_tone(const struct server *server, int fd, int number)
{
    char text[200];
    if (number == CHANGE_AT && !server->plan.change_unsaid) {
        snprintf(text, sizeof text, "{\"type\":\"codec\",\"format\":\"opus\",\"bitrate\":64000,\"at_frame\":%d,"
                 "\"delivery_frames\":4800,\"phase_frames\":480,"
                 "\"decoder_delay_frames\":312,\"encoder_id\":\"two\",\"burst_until_frame\":%d}",
                 (FIRST + number) * CHUNK_FRAMES, (FIRST + BURST) * CHUNK_FRAMES);
        put_text(fd, text);
        put_packets(fd, &tone_preroll);
    }
    put_packets(fd, &tone[number >= CHANGE_AT][number]);
}

// Reads what the client says, answers its pings.
static void answer(struct server *server, int fd)
{
    uint8_t bytes[4096];
    ssize_t len = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    for (ssize_t at = 0; at < len;) {
        struct websocket_head head;
        int head_len = websocket_read_head(bytes + at, (size_t)(len - at), &head);
        assert_true(head_len > 0 && head.masked && (size_t)(len - at - head_len) >= head.payload_bytes);
        uint8_t *payload = bytes + at + head_len;
        for (size_t i = 0; i < head.payload_bytes; i++)
            payload[i] ^= head.mask[i % 4];
        at += head_len + (ssize_t)head.payload_bytes;
        double t0;
        char text[160];
        if (head.opcode == WEBSOCKET_PONG)
            server->pongs++;
        if (sscanf((char *)payload, "{\"type\":\"ping\",\"t0\":%lf}", &t0) != 1)
            continue;
        double now_ms = programme_ms(server);
        snprintf(text, sizeof text, "{\"type\":\"pong\",\"t0\":%f,\"t1_ms\":%f,\"t2_ms\":%f}", t0, now_ms, now_ms);
        put_text(fd, text);
    }
}

static void play(struct server *server, int fd)
{
    const struct plan *plan = &server->plan;
    server->start_ns = clock_now_ns(&server->clock);
    if (plan->ping_first)
        put_frame(fd, WEBSOCKET_PING, "hey", 3, false);
    greet(server, fd);
    for (int i = 0; i < CHUNKS; i++) {
        double wanted_ms = i < BURST ? 0 : due_ms(i) + (plan->late_at && i == plan->late_at ? 70 : 2);
        while (programme_ms(server) < wanted_ms) {
            answer(server, fd);
            nanosleep(&(struct timespec){.tv_nsec = 500 * 1000}, NULL);
        }
        if (plan->close_early && i == BURST + 2) {
            put_frame(fd, WEBSOCKET_CLOSE, "\x03\xf0" "too slow", 10, false);
            return;
        }
        if (plan->change)
            put_tone(server, fd, i);
        else if (!plan->hole_at || i != plan->hole_at)
            put_chunk(server, fd, i);
    }
}

static void hand_shake(const struct server *server, int fd)
{
    const char *wanted = server->plan.change ? "GET /ws/v2?format=opus&bitrate=128000&station=main HTTP/1.1\r\n"
                                             : "GET /ws/v2?format=pcm&station=main HTTP/1.1\r\n";
    char request[1024] = "", text[512];
    ssize_t len = recv(fd, request, sizeof request - 1, 0);
    assert_true(len > 0 && strstr(request, wanted));
    struct upgrade_key key;
    assert_true(upgrade_header(request, "Sec-WebSocket-Key", key.key, sizeof key.key));
    upgrade_key_accept(&key);
    snprintf(text, sizeof text, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: auralis-v2\r\n\r\n", key.accept);
    put(fd, text, strlen(text));
}

static void *serve(void *argument)
{
    struct server *server = argument;
    int fd = accept(server->fd, NULL, NULL);
    int on = 1;
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return NULL;
    static const char refusal[] = "HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n";
    if (server->plan.refuse) {
        put(fd, refusal, sizeof refusal - 1);
    } else {
        hand_shake(server, fd);
        if (server->plan.no_greeting)
            put_text(fd, "{\"hello\":1}");
        else
            play(server, fd);
    }
    char rest[4096];
    while (recv(fd, rest, sizeof rest, 0) > 0) {
    }
    close(fd);
    return NULL;
}

static void start(struct server *server, struct plan plan)
{
    *server = (struct server){.plan = plan, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    clock_init(&server->clock, plan.clock_speed > 0 ? plan.clock_speed : 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->fd, 4), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static int received[CHUNKS];
static bool impatient;           // Ctrl-C is pressed while the server has two more chunks to send

static void note(void *context, const struct client_chunk *chunk)
{
    int number = (int)(chunk->first_frame / CHUNK_FRAMES) - FIRST;
    assert_in_range(number, 0, CHUNKS - 1);
    assert_int_equal(chunk->payload_bytes, PCM_BYTES);
    assert_int_equal(chunk->payload[PCM_BYTES - 1], number);
    assert_int_equal(chunk->sound_frames, CHUNK_FRAMES);
    assert_float_equal(chunk->sound[0], (float)(number * 257) / 32768, 0);
    received[number]++;
    if (impatient && number == CHUNKS - 3)
        raise(SIGINT);
}

static struct client_report report;

// Plays the plan to one listener.
static enum status listen_for(struct server *server, struct plan plan, double duration_s)
{
    char url[64];
    start(server, plan);
    memset(received, 0, sizeof received);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", server->port);
    struct client_config config = {.url = url, .protocol = CLIENT_PCM, .station = "main", .listeners = 1, .decoders = 1,
                                   .clock_speed = plan.clock_speed, .duration_s = duration_s, .chunk = note};
    enum status status = client_run(&config, &report);
    pthread_join(server->thread, NULL);
    close(server->fd);
    return status;
}

static enum status listen_to(struct server *server, struct plan plan)
{
    return listen_for(server, plan, .5);
}

static void a_good_server_is_measured(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.ping_first = true}), STATUS_OK);
    assert_int_equal(report.connected, 1);
    assert_int_equal(report.burst_chunks, BURST);
    assert_int_equal(report.chunks_expected, 5);
    assert_int_equal(report.chunks_received, 5);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.silent, 0);
    assert_int_equal(report.lost, 0);
    assert_int_equal(report.lateness.count, 5);
    assert_int_equal(report.jitter.count, 4);
    assert_in_range(report.clock_error_ns, 0, 100000000);
    assert_string_equal(report.station, "main");
    assert_string_equal(report.failure, "");
    for (int i = 0; i < BURST + 5; i++)
        assert_int_equal(received[i], 1);
    assert_int_equal(server.pongs, 1);
}

static void an_interrupted_run_is_measured_up_to_there(void **state)
{
    struct server server;
    impatient = true;
    assert_int_equal(listen_for(&server, (struct plan){0}, 30), STATUS_OK);
    impatient = false;
    assert_int_equal(report.chunks_expected, CHUNKS - 2 - BURST);
    assert_int_equal(report.chunks_received, CHUNKS - 2 - BURST);
    assert_int_equal(report.lost, 0);
}

// Half a second of programme at ten times the speed: as many chunks, none of them too early.
static void a_scaled_clock_counts_programme_time(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.clock_speed = 10}), STATUS_OK);
    assert_int_equal(report.chunks_expected, 5);
    assert_int_equal(report.chunks_received, 5);
    assert_int_equal(report.lateness.count, 5);
    assert_int_equal(report.early, 0);
    assert_int_equal(report.gaps, 0);
}

static void a_late_chunk_shows(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.late_at = BURST + 2, .fragmented = true}), STATUS_OK);
    assert_int_equal(report.chunks_received, report.chunks_expected);
    assert_true(report.lateness.max_ns > 60 * NS_PER_MS);
    assert_true(report.jitter.max_ns > 30 * NS_PER_MS);
}

static void a_hole_shows(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.hole_at = BURST + 1}), STATUS_OK);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_frames, CHUNK_FRAMES);
    assert_int_equal(report.chunks_expected, report.chunks_received + 1);
}

static void an_early_close_shows(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.close_early = true}), STATUS_OK);
    assert_int_equal(report.lost, 1);
    assert_string_equal(report.failure, "closed by the server: 1008 too slow");
    assert_int_equal(report.chunks_expected, 5);
    assert_int_equal(report.chunks_received, 2);
}

static void refusals_are_told(void **state)
{
    struct server server;
    assert_int_equal(listen_to(&server, (struct plan){.refuse = true}), STATUS_CLOSED);
    assert_int_equal(report.failed, 1);
    assert_string_equal(report.failure, "refused: 503 Full");
    assert_int_equal(listen_to(&server, (struct plan){.no_greeting = true}), STATUS_CLOSED);
    assert_int_equal(report.protocol_errors, 1);
    assert_string_equal(report.failure, "a message breaks the protocol: {\"hello\":1}");
}

static float heard[CHUNKS][CHUNK_FRAMES * CHANNELS];
static enum format heard_as[CHUNKS];

static void note_tone(void *context, const struct client_chunk *chunk)
{
    if (!chunk->sound)
        return;
    int number = (int)(chunk->first_frame / CHUNK_FRAMES) - FIRST;
    assert_in_range(number, 0, CHUNKS - 1);
    assert_int_equal(chunk->sound_frames, CHUNK_FRAMES);
    memcpy(heard[number], chunk->sound, sizeof heard[number]);
    heard_as[number] = chunk->format;
}

static void listen_to_the_change(struct plan plan)
{
    struct server server;
    char url[64];
    make_tones();
    start(&server, plan);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", server.port);
    struct client_config config = {.url = url, .protocol = CLIENT_OPUS, .station = "main", .listeners = 1,
                                   .bitrate = 128000, .decoders = 1, .duration_s = .8, .chunk = note_tone};
    assert_int_equal(client_run(&config, &report), STATUS_OK);
    pthread_join(server.thread, NULL);
    close(server.fd);
}

static struct client_chunk as_chunk(const struct packets *packets)
{
    return (struct client_chunk){.payload = packets->bytes, .payload_bytes = packets->len,
                                 .packet_bytes = packets->header.packet_bytes,
                                 .packet_count = packets->header.packet_count};
}

// What a decoder makes that is fresh at the change and is fed the preroll.
static void assert_decoded_afresh(void)
{
    struct decoder *decoder = decoder_create();
    struct client_chunk chunk = as_chunk(&tone_preroll);
    const float *sound;
    uint64_t errors = 0;
    (void)decoder_feed(decoder, &chunk, &sound, &errors);
    for (int i = CHANGE_AT; i < CHUNKS - 1; i++) {
        chunk = as_chunk(&tone[1][i]);
        (void)decoder_feed(decoder, &chunk, &sound, &errors);
        assert_memory_equal(sound, heard[i], sizeof heard[i]);
    }
    assert_int_equal(errors, 0);
    decoder_destroy(decoder);
}

static void another_bit_rate_is_decoded_afresh(void **state)
{
    listen_to_the_change((struct plan){.change = true});
    assert_int_equal(report.format_changes, 1);
    assert_int_equal(report.gaps + report.decode_errors + report.protocol_errors, 0);
    assert_int_equal(report.format_chunks[FORMAT_OPUS], CHANGE_AT);
    assert_in_range(report.format_chunks[FORMAT_OPUS_64], CHUNKS - CHANGE_AT - 1, CHUNKS - CHANGE_AT);
    assert_string_equal(report.encoder_ids[FORMAT_OPUS], "one");
    assert_string_equal(report.encoder_ids[FORMAT_OPUS_64], "two");
    for (int i = 0; i < CHUNKS - 1; i++)
        assert_int_equal(heard_as[i], i < CHANGE_AT ? FORMAT_OPUS : FORMAT_OPUS_64);
    assert_decoded_afresh();
    // No step where the bit rate changes.
    const float *before = heard[CHANGE_AT - 1] + (CHUNK_FRAMES - 1) * CHANNELS, *after = heard[CHANGE_AT];
    for (int channel = 0; channel < CHANNELS; channel++)
        assert_true(fabsf(after[channel] - before[channel]) < .3f * .08f * 1.5f);
}

static void a_change_that_is_not_told_is_not_noticed_here(void **state)
{
    listen_to_the_change((struct plan){.change = true, .change_unsaid = true});
    assert_int_equal(report.format_changes, 0);
    assert_int_equal(report.format_chunks[FORMAT_OPUS_64], 0);
}

static void nobody_there_is_told(void **state)
{
    struct client_config config = {.url = "http://127.0.0.1:1", .protocol = CLIENT_PCM, .listeners = 3};
    assert_int_equal(client_run(&config, &report), STATUS_CLOSED);
    assert_int_equal(report.failed, 3);
    assert_string_equal(report.failure, "cannot connect: Connection refused");
    config.url = "nonsense";
    assert_int_equal(client_run(&config, &report), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_server_is_measured), cmocka_unit_test(a_late_chunk_shows),
        cmocka_unit_test(a_hole_shows), cmocka_unit_test(an_early_close_shows), cmocka_unit_test(refusals_are_told),
        cmocka_unit_test(another_bit_rate_is_decoded_afresh),
        cmocka_unit_test(a_change_that_is_not_told_is_not_noticed_here),
        cmocka_unit_test(nobody_there_is_told), cmocka_unit_test(an_interrupted_run_is_measured_up_to_there),
        cmocka_unit_test(a_scaled_clock_counts_programme_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
