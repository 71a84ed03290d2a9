#include "client/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "wire/message.h"

enum { LISTENER_FRAME_BYTES = 512, CLOSE_NORMAL = 1000 };

static void listener_watch(struct listener *listener, int events);

// The poll handle outlives the socket by one turn of the loop; it needs nothing from it then.
static void listener_close(struct listener *listener)
{
    if (listener->state == LISTENER_ENDED)
        return;
    listener->crowd->open -= listener->state == LISTENER_OPEN;
    listener->state = LISTENER_ENDED;
    if (listener->fd >= 0) {
        uv_close((uv_handle_t *)&listener->poll, NULL);
        close(listener->fd);
    }
    listener->fd = -1;
    free(listener->answer);
    listener->answer = NULL;
}

void listener_fail(struct listener *listener, const char *format, ...)
{
    if (listener->state == LISTENER_ENDED)
        return;
    struct crowd *crowd = listener->crowd;
    char reason[160];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    bool greeted = listener->state == LISTENER_OPEN;
    listener_close(listener);
    if (greeted && crowd_now_ns(crowd) > crowd->end_ns)
        return;
    crowd_failure(crowd, "%s", reason);
    crowd->report->lost += greeted;
    crowd->report->failed += !greeted;
    crowd->settled += !greeted;
}

void listener_greeted(struct listener *listener)
{
    listener->state = LISTENER_OPEN;
    listener->greeted = true;
    listener->crowd->open++;
    listener->crowd->report->connected++;
    listener->crowd->settled++;
}

static bool listener_write(struct listener *listener, const void *bytes, size_t len)
{
    return send(listener->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

// Client frames are masked; a mask keeps proxies from being fooled, so any even numbers will do.
static bool listener_send(struct listener *listener, enum websocket_opcode opcode, const void *payload, size_t len)
{
    uint8_t frame[WEBSOCKET_MAX_HEAD_BYTES + 4 + LISTENER_FRAME_BYTES];
    if (len > LISTENER_FRAME_BYTES)
        return false;
    size_t at = websocket_write_head(frame, opcode, len);
    frame[1] |= 0x80;
    uint32_t mask = (uint32_t)random_u64((uint64_t)listener->index, 1, (uint64_t)crowd_now_ns(listener->crowd));
    memcpy(frame + at, &mask, 4);
    for (size_t i = 0; i < len; i++)
        frame[at + 4 + i] = ((const uint8_t *)payload)[i] ^ frame[at + i % 4];
    return listener_write(listener, frame, at + 4 + len);
}

void listener_send_text(struct listener *listener, const char *text, size_t len)
{
    if (!listener_send(listener, WEBSOCKET_TEXT, text, len))
        listener_fail(listener, "the server does not read");
}

void listener_end(struct listener *listener)
{
    if (listener->state == LISTENER_OPEN)
        (void)listener_send(listener, WEBSOCKET_CLOSE, (uint8_t[]){CLOSE_NORMAL >> 8, CLOSE_NORMAL & 0xff}, 2);
    listener_close(listener);
}

void listener_chunk(struct listener *listener, struct client_chunk *chunk)
{
    struct crowd *crowd = listener->crowd;
    struct client_report *report = crowd->report;
    bool preroll = chunk->flags & MESSAGE_PREROLL;
    chunk->listener = listener->index;
    if (listener->decoder)
        chunk->sound_frames = decoder_feed(listener->decoder, chunk, &chunk->sound, &report->decode_errors);
    if (preroll)
        chunk->sound = NULL;
    else
        tally_chunk(&listener->tally, chunk, crowd->end_ns, report);
    if (crowd->config->chunk)
        crowd->config->chunk(crowd->config->context, chunk);
}

static void listener_closed_by_server(struct listener *listener, const uint8_t *payload, size_t len)
{
    int code = len >= 2 ? payload[0] << 8 | payload[1] : 1005;
    int words = len > 2 ? (int)len - 2 : 0;
    (void)listener_send(listener, WEBSOCKET_CLOSE, payload, len < 2 ? 0 : 2);
    listener_fail(listener, "closed by the server: %d %.*s", code, words, words ? (const char *)payload + 2 : "");
}

static bool listener_frame(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct listener *listener = context;
    const struct protocol *protocol = listener->crowd->protocol;
    bool good = true;
    if (opcode == WEBSOCKET_TEXT)
        good = protocol->text(listener, bytes, len, listener->arrival_ns);
    else if (opcode == WEBSOCKET_BINARY)
        good = protocol->binary(listener, bytes, len, listener->arrival_ns);
    else if (opcode == WEBSOCKET_PING)
        good = listener_send(listener, WEBSOCKET_PONG, bytes, len);
    else if (opcode == WEBSOCKET_CLOSE)
        listener_closed_by_server(listener, bytes, len);
    if (!good) {
        listener->crowd->report->protocol_errors++;
        int shown = opcode == WEBSOCKET_BINARY ? 0 : len > 60 ? 60 : (int)len;
        listener_fail(listener, "a message breaks the protocol: %.*s", shown, (const char *)bytes);
    }
    return listener->state != LISTENER_ENDED;
}

static void listener_feed(struct listener *listener, const uint8_t *bytes, size_t len)
{
    enum status status = frame_reader_feed(&listener->reader, bytes, len, listener_frame, listener);
    if (status == STATUS_INVALID)
        listener->crowd->report->protocol_errors++;
    if (status != STATUS_OK && status != STATUS_CLOSED)
        listener_fail(listener, "frames of the server: %s", status_text(status));
    if (listener->state == LISTENER_ENDED)
        frame_reader_finish(&listener->reader);
}

// Bytes of the HTTP answer; what follows its blank line are frames already.
static void listener_answer(struct listener *listener, const uint8_t *bytes, size_t len)
{
    char reason[120];
    struct text failure = text_on(reason, sizeof reason);
    char *grown = realloc(listener->answer, listener->answer_len + len + 1);
    if (!grown || listener->answer_len + len > CROWD_READ_BYTES) {
        listener_fail(listener, "no memory for the answer");
        return;
    }
    listener->answer = grown;
    memcpy(grown + listener->answer_len, bytes, len);
    listener->answer_len += len;
    grown[listener->answer_len] = '\0';
    char *end = strstr(grown, "\r\n\r\n");
    if (!end) {
        if (listener->answer_len > CROWD_ANSWER_BYTES)
            listener_fail(listener, "the answer has no end");
        return;
    }
    const struct crowd *crowd = listener->crowd;
    size_t head_len = (size_t)(end - grown) + 4;
    char first = grown[head_len];
    grown[head_len] = '\0';
    if (handshake_read(grown, crowd->protocol->subprotocol, &crowd->key, &failure) != STATUS_OK) {
        listener_fail(listener, "%s", reason);
        return;
    }
    grown[head_len] = first;
    listener->state = LISTENER_GREETING;
    listener->answer = NULL;
    listener_feed(listener, (uint8_t *)grown + head_len, listener->answer_len - head_len);
    free(grown);
}

static void listener_readable(struct listener *listener)
{
    struct crowd *crowd = listener->crowd;
    listener->arrival_ns = crowd_now_ns(crowd);
    ssize_t got = recv(listener->fd, crowd->buffer, CROWD_READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        listener_fail(listener, "connection lost: %s", got == 0 ? "closed without a word" : strerror(errno));
        return;
    }
    crowd->report->bytes += (uint64_t)got;
    if (listener->state == LISTENER_HANDSHAKE)
        listener_answer(listener, crowd->buffer, (size_t)got);
    else
        listener_feed(listener, crowd->buffer, (size_t)got);
}

static void listener_request(struct listener *listener)
{
    char target[768], request[1536];
    struct crowd *crowd = listener->crowd;
    struct text target_text = text_on(target, sizeof target), text = text_on(request, sizeof request);
    crowd->protocol->target(crowd, listener->index, &target_text);
    handshake_write(&crowd->url, target, crowd->protocol->subprotocol, &crowd->key, &text);
    listener->state = LISTENER_HANDSHAKE;
    if (text.full || !listener_write(listener, text.bytes, text.len))
        listener_fail(listener, "the request could not be sent");
    else
        listener_watch(listener, UV_READABLE);
}

static void listener_connected(struct listener *listener)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(listener->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        listener_fail(listener, "cannot connect: %s", strerror(error ? error : errno));
    else
        listener_request(listener);
}

static void listener_ready(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    if (listener->state == LISTENER_CONNECTING)
        listener_connected(listener);
    else if (status < 0)
        listener_fail(listener, "connection lost: %s", uv_strerror(status));
    else
        listener_readable(listener);
}

static void listener_watch(struct listener *listener, int events)
{
    if (uv_poll_start(&listener->poll, events, listener_ready) != 0)
        listener_fail(listener, "the socket cannot be watched");
}

// A non-blocking socket on its way. -1, with errno, when there is none.
static int listener_socket(const struct crowd *crowd)
{
    int fd = socket(crowd->address.ss_family, SOCK_STREAM, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        (connect(fd, (const struct sockaddr *)&crowd->address, crowd->address_len) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void listener_start(struct listener *listener, struct crowd *crowd, int index)
{
    *listener = (struct listener){.crowd = crowd, .index = index, .fd = -1, .state = LISTENER_CONNECTING};
    tally_begin(&listener->tally, crowd->protocol->span, crowd_now_ns(crowd));
    if (index < crowd->config->decoders && !(listener->decoder = decoder_create())) {
        listener_fail(listener, "no memory for a decoder");
        return;
    }
    int fd = listener_socket(crowd);
    if (fd < 0) {
        listener_fail(listener, "cannot connect: %s", strerror(errno));
        return;
    }
    if (uv_poll_init(&crowd->loop, &listener->poll, fd) != 0) {
        close(fd);
        listener_fail(listener, "the socket cannot be watched");
        return;
    }
    listener->fd = fd;
    listener->poll.data = listener;
    listener_watch(listener, UV_WRITABLE);
}
