// The whole client against a small server with planted faults.
#include "client/client.h"

#include <arpa/inet.h>
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
#include "client/upgrade.h"
#include "os/clock.h"
#include "wire/message.h"
#include "wire/websocket.h"

enum { FIRST = 27, BURST = 3, CHUNKS = 12, LEAD_CHUNKS = 20, PCM_BYTES = CHUNK_FRAMES * 4 };

// What goes wrong at one connection.
struct plan {
    int hole_at, late_at;        // chunk numbers, 0: none
    double clock_speed;          // 0: real time
    bool refuse, close_early, no_greeting, fragmented, ping_first;
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
             "\"phase_frames\":480,\"first_frame\":%d,"
             "\"burst_until_frame\":%d,\"decoder_delay_frames\":0,\"encoder_id\":\"none\"}",
             programme_ms(server), LEAD_CHUNKS * CHUNK_FRAMES, FIRST * CHUNK_FRAMES, (FIRST + BURST) * CHUNK_FRAMES);
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
        if (!plan->hole_at || i != plan->hole_at)
            put_chunk(server, fd, i);
    }
}

static void hand_shake(int fd)
{
    char request[1024] = "", text[512];
    ssize_t len = recv(fd, request, sizeof request - 1, 0);
    assert_true(len > 0 && strstr(request, "GET /ws/v2?format=pcm&station=main HTTP/1.1\r\n"));
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
        hand_shake(fd);
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
        cmocka_unit_test(nobody_there_is_told), cmocka_unit_test(an_interrupted_run_is_measured_up_to_there),
        cmocka_unit_test(a_scaled_clock_counts_programme_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
