#include "tools/bare_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <uv.h>

#include "base/check.h"
#include "base/random.h"
#include "client/upgrade.h"
#include "net/receiver.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include "stream/pace.h"
#include "wire/message.h"

enum {
    BARE_REQUEST_BYTES = 4096, BARE_TEXT_BYTES = 1024, BARE_BUFFER_BYTES = 32 * 1024, BARE_READ_BYTES = 4096,
    BARE_MARGIN_FRAMES = FRAME_RATE / 5, BARE_PORT_LIMIT_MS = 10000, BARE_THREADS_MAX = 64,
};

// A place in the order of due times.
struct bare_socket {
    atomic_int fd;           // -1: not connected yet, or dropped
    uint32_t phase_frames;
    uint64_t first_frame;    // of the first chunk that it gets; set before fd
};

struct bare_sender {
    struct bare *bare;
    struct thread thread;
    struct bare_socket *sockets;   // by phase
    int count;
};

struct bare {
    const struct bare_loop *config;
    struct clock clock;
    struct pace pace;
    struct bare_sender senders[BARE_THREADS_MAX];
    struct bare_socket **order;    // by arrival
    struct bare_guest *guests;
    uv_loop_t uv;
    int listener, arrived;
};

// The messages of one delivery, each of the right size for a chunk: only first frames differ from one to the next.
struct bare_delivery {
    uint8_t *bytes;
    size_t head_bytes, message_bytes, len;
    struct message_header header;
};

static bool delivery_init(struct bare_delivery *delivery, const struct bare_loop *config)
{
    struct message_header *header = &delivery->header;
    size_t bytes = config->message_bytes, messages = config->delivery_frames / CHUNK_FRAMES;
    *header = (struct message_header){.codec = MESSAGE_CODEC_OPUS, .packet_count = CHUNK_PACKETS,
                                      .frame_count = CHUNK_FRAMES};
    size_t head = message_header_bytes(header) + 4;
    size_t payload = bytes > head + CHUNK_PACKETS ? bytes - head : CHUNK_PACKETS;
    for (int i = 0; i < CHUNK_PACKETS; i++)
        header->packet_bytes[i] = (uint16_t)(payload / CHUNK_PACKETS + (i == 0 ? payload % CHUNK_PACKETS : 0));
    delivery->bytes = malloc(messages * (head + payload + WEBSOCKET_MAX_HEAD_BYTES));
    if (!delivery->bytes)
        return false;
    size_t len = message_header_bytes(header) + payload;
    delivery->head_bytes = websocket_write_head(delivery->bytes, WEBSOCKET_BINARY, len);
    delivery->message_bytes = delivery->head_bytes + len;
    delivery->len = messages * delivery->message_bytes;
    for (size_t i = delivery->head_bytes; i < delivery->len; i++)
        delivery->bytes[i] = (uint8_t)random_u64(1, 2, i);
    for (size_t i = 1; i < messages; i++)
        memcpy(delivery->bytes + i * delivery->message_bytes, delivery->bytes, delivery->head_bytes);
    return true;
}

static void delivery_set_frame(struct bare_delivery *delivery, uint64_t first_frame)
{
    delivery->header.first_frame = first_frame;
    for (size_t at = 0; at < delivery->len; at += delivery->message_bytes) {
        (void)message_write(&delivery->header, delivery->bytes + at + delivery->head_bytes);
        delivery->header.first_frame += CHUNK_FRAMES;
    }
}

// Until the millisecond after a time, as the server's wheel does.
static void bare_sleep_until(const struct bare *bare, uint64_t at_ns)
{
    uint64_t delay_ns = clock_delay_ns(&bare->clock, (at_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS);
    struct timespec delay = {.tv_sec = (time_t)(delay_ns / NS_PER_SECOND), .tv_nsec = (long)(delay_ns % NS_PER_SECOND)};
    if (delay_ns > 0)
        nanosleep(&delay, NULL);
}

static void sender_send(struct bare_sender *sender, const struct bare_delivery *delivery, uint64_t frame)
{
    const struct bare *bare = sender->bare;
    uint64_t now_ns = clock_now_ns(&bare->clock);
    for (int i = 0; i < sender->count; i++) {
        struct bare_socket *to = &sender->sockets[i];
        int fd = atomic_load_explicit(&to->fd, memory_order_acquire);
        if (fd < 0 || frame < to->first_frame)
            continue;
        uint64_t due_ns = bare->pace.origin_ns + frames_to_ns(frame + to->phase_frames);
        if (due_ns > now_ns) {
            bare_sleep_until(bare, due_ns);
            now_ns = clock_now_ns(&bare->clock);
        }
        // Half a message would be all that the other side understands, so who cannot take it all is dropped.
        if (send(fd, delivery->bytes, delivery->len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)delivery->len) {
            atomic_store(&to->fd, -1);
            shutdown(fd, SHUT_RDWR);
        }
    }
}

static void sender_run(void *argument)
{
    struct bare_sender *sender = argument;
    struct bare_delivery delivery;
    check(delivery_init(&delivery, sender->bare->config));
    for (uint64_t frame = 0;; frame += sender->bare->config->delivery_frames) {
        delivery_set_frame(&delivery, frame);
        bare_sleep_until(sender->bare, sender->bare->pace.origin_ns + frames_to_ns(frame));
        sender_send(sender, &delivery, frame);
    }
}

static int bare_by_phase(const void *a, const void *b)
{
    const struct bare_socket *left = a, *right = b;
    return (left->phase_frames > right->phase_frames) - (left->phase_frames < right->phase_frames);
}

// Listener i has the phase that the server would give it, and belongs to sender i % threads.
static void bare_spread(struct bare *bare)
{
    int listeners = bare->config->listeners, threads = bare->config->threads;
    for (int t = 0; t < threads; t++) {
        struct bare_sender *sender = &bare->senders[t];
        sender->bare = bare;
        sender->sockets = calloc((size_t)listeners / (size_t)threads + 1, sizeof *sender->sockets);
        check(sender->sockets);
        for (int i = t; i < listeners; i += threads) {
            struct bare_socket *socket = &sender->sockets[sender->count++];
            atomic_init(&socket->fd, -1);
            struct pace pace;
            pace_deliver(&pace, (uint32_t)i, bare->config->delivery_frames);
            socket->phase_frames = pace.phase_frames;
        }
        qsort(sender->sockets, (size_t)sender->count, sizeof *sender->sockets, bare_by_phase);
        for (int i = 0; i < sender->count; i++)
            bare->order[t + i * threads] = &sender->sockets[i];
    }
}

static bool bare_read_request(int fd, char *request)
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (len < BARE_REQUEST_BYTES - 1 && poll(&wait, 1, BARE_PORT_LIMIT_MS) == 1) {
        ssize_t got = recv(fd, request + len, BARE_REQUEST_BYTES - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void bare_send(int fd, const char *text, size_t len)
{
    (void)send(fd, text, len, MSG_NOSIGNAL);
}

static void bare_send_json(int fd, json_t *message)
{
    char frame[WEBSOCKET_MAX_HEAD_BYTES + BARE_TEXT_BYTES], text[BARE_TEXT_BYTES];
    size_t len = json_dumpb(message, text, sizeof text, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(message);
    check(len > 0 && len <= sizeof text);
    size_t head = websocket_write_head((uint8_t *)frame, WEBSOCKET_TEXT, len);
    memcpy(frame + head, text, len);
    bare_send(fd, frame, head + len);
}

static double bare_time_ms(const struct bare *bare)
{
    return (double)(int64_t)(clock_now_ns(&bare->clock) - bare->pace.origin_ns) / (double)NS_PER_MS;
}

static void bare_greet(struct bare *bare, struct bare_socket *socket, int fd, const char *request)
{
    struct upgrade_key key;
    char answer[512];
    if (!upgrade_header(request, "sec-websocket-key", key.key, sizeof key.key))
        return;
    upgrade_key_accept(&key);
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Protocol: auralis-v2\r\nSec-WebSocket-Accept: %s\r\n\r\n", key.accept);
    bare_send(fd, answer, (size_t)len);
    uint64_t soon = pace_live_frame(&bare->pace, clock_now_ns(&bare->clock)) + BARE_MARGIN_FRAMES;
    socket->first_frame = frames_round_up(soon, bare->config->delivery_frames);
    bare_send_json(fd, json_pack("{s:s, s:i, s:s, s:i, s:f, s:i, s:i, s:i, s:I, s:I}", "type", "hello", "protocol", 2,
                                 "format", "opus", "bitrate", 128000, "time_ms",
                                 bare_time_ms(bare), "lead_frames", 0, "delivery_frames",
                                 (int)bare->config->delivery_frames, "phase_frames", (int)socket->phase_frames,
                                 "first_frame", (json_int_t)socket->first_frame, "burst_until_frame",
                                 (json_int_t)socket->first_frame));
    socket_set_send_buffer(fd, BARE_BUFFER_BYTES);
    atomic_store_explicit(&socket->fd, fd, memory_order_release);
}

struct bare_guest {
    uv_poll_t poll;
    struct bare *bare;
    int fd;
};

static void guest_on_message(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct bare_guest *guest = context;
    json_t *message = json_loadb((const char *)bytes, len, 0, NULL), *t0 = json_object_get(message, "t0");
    double t1_ms = bare_time_ms(guest->bare);
    if (t0)
        bare_send_json(guest->fd, json_pack("{s:s, s:O, s:f, s:f}", "type", "pong", "t0", t0, "t1_ms", t1_ms, "t2_ms",
                                            bare_time_ms(guest->bare)));
    json_decref(message);
}

static void guest_on_ping(void *context, const uint8_t *bytes, size_t len)
{
}

// A client's ping fits into one segment on loopback. Who goes is watched no longer.
static void guest_on_readable(uv_poll_t *poll, int status, int events)
{
    static const struct receiver_events receiver_events = {.message = guest_on_message, .ping = guest_on_ping};
    struct bare_guest *guest = poll->data;
    uint8_t bytes[BARE_READ_BYTES];
    struct receiver receiver;
    int code;
    ssize_t got = recv(guest->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    receiver_init(&receiver, BARE_READ_BYTES, &receiver_events, guest);
    if (got <= 0 || receiver_feed(&receiver, bytes, (size_t)got, &code) != RECEIVER_OPEN)
        uv_poll_stop(poll);
    receiver_finish(&receiver);
}

static void bare_on_listening(uv_poll_t *poll, int status, int events)
{
    struct bare *bare = poll->data;
    struct http_peer peer;
    char request[BARE_REQUEST_BYTES];
    if (bare->arrived == bare->config->listeners) {
        uv_poll_stop(poll);
        return;
    }
    struct bare_guest *guest = &bare->guests[bare->arrived];
    int fd = socket_accept(bare->listener, &peer);
    if (fd < 0)
        return;
    if (!bare_read_request(fd, request)) {
        close(fd);
        return;
    }
    *guest = (struct bare_guest){.bare = bare, .fd = fd};
    bare_greet(bare, bare->order[bare->arrived++], fd, request);
    check(uv_poll_init(&bare->uv, &guest->poll, fd) == 0);
    guest->poll.data = guest;
    uv_poll_start(&guest->poll, UV_READABLE, guest_on_readable);
}

// Greets who comes and answers pings until it is told to end.
static void bare_answer_for_ever(struct bare *bare)
{
    uv_poll_t listening = {.data = bare};
    check(uv_loop_init(&bare->uv) == 0 && uv_poll_init(&bare->uv, &listening, bare->listener) == 0);
    uv_poll_start(&listening, UV_READABLE, bare_on_listening);
    uv_run(&bare->uv, UV_RUN_DEFAULT);
}

static void bare_claim(struct bare *bare, const struct bare_loop *config)
{
    bare->config = config;
    clock_init(&bare->clock, 1);
    bare->pace.origin_ns = clock_now_ns(&bare->clock);
    bare->order = calloc((size_t)config->listeners, sizeof(struct bare_socket *));
    bare->guests = calloc((size_t)config->listeners, sizeof *bare->guests);
    check(bare->order && bare->guests);
}

// The process ends by being told to: nothing is given back.
static void bare_run(void *context)
{
    struct bare *bare = calloc(1, sizeof *bare);
    uint16_t port;
    check(bare);
    bare_claim(bare, context);
    process_raise_descriptor_limit();
    bare_spread(bare);
    if (socket_listen("127.0.0.1", 0, &bare->listener, &port) != STATUS_OK)
        return;
    printf("%u\n", (unsigned)port);
    fflush(stdout);
    for (int t = 0; t < bare->config->threads; t++)
        check(thread_start(&bare->senders[t].thread, "bare", THREAD_IO, sender_run, &bare->senders[t]) == STATUS_OK);
    bare_answer_for_ever(bare);
}

enum status bare_loop_start(struct child *child, struct bare_loop *bare, int *port)
{
    char line[16];
    if (bare->threads > BARE_THREADS_MAX)
        bare->threads = BARE_THREADS_MAX;
    enum status status = child_fork(child, bare_run, bare);
    if (status != STATUS_OK)
        return status;
    if (child_line(child, line, sizeof line, BARE_PORT_LIMIT_MS) && sscanf(line, "%d", port) == 1)
        return STATUS_OK;
    (void)child_end(child);
    return STATUS_IO;
}
