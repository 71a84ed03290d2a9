#include "client/member.h"

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

#define MEMBER_SILENCE_NS ((int64_t)1500 * (int64_t)NS_PER_MS)
#define MEMBER_TRY_NS ((int64_t)3 * (int64_t)NS_PER_SECOND)

enum { MEMBER_LEAST_RETRY_MS = 20, MEMBER_MOST_RETRY_MS = 300 };

enum { MEMBER_FRAME_BYTES = 512, MEMBERS_OF_AN_ADDRESS = 20000, CLOSE_NORMAL = 1000 };

static void member_watch(struct member *member, int events);

// The poll handle outlives the socket by one turn of the loop; it needs nothing from it then.
static void member_close(struct member *member)
{
    if (member->state == MEMBER_ENDED)
        return;
    member->crowd->open -= member->state == MEMBER_OPEN;
    member->state = MEMBER_ENDED;
    if (member->channel.fd >= 0)
        uv_close((uv_handle_t *)&member->poll, NULL);
    channel_close(&member->channel);
    free(member->answer);
    member->answer = NULL;
}

// After a while that differs from listener to listener, so that they do not all come at once.
static bool member_comes_back(struct member *member)
{
    const struct crowd *crowd = member->crowd;
    int64_t now_ns = crowd_now_ns(crowd);
    if (!crowd->config->reconnect || !member->greeted || now_ns > crowd->window.end_ns)
        return false;
    uint32_t spread = MEMBER_MOST_RETRY_MS - MEMBER_LEAST_RETRY_MS;
    uint32_t wait_ms = MEMBER_LEAST_RETRY_MS + random_below((uint64_t)member->index, 2, (uint64_t)now_ns, spread);
    member->state = MEMBER_AWAY;
    member->retry_ns = now_ns + (int64_t)wait_ms * (int64_t)NS_PER_MS;
    return true;
}

void member_fail(struct member *member, const char *format, ...)
{
    if (member->state == MEMBER_ENDED || member->state == MEMBER_AWAY)
        return;
    struct crowd *crowd = member->crowd;
    char reason[160];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    bool greeted = member->greeted;
    member_close(member);
    if (member_comes_back(member)) {
        crowd->report->reconnects++;
        return;
    }
    if (greeted && crowd_now_ns(crowd) > crowd->window.end_ns)
        return;
    crowd_failure(crowd, "%s", reason);
    crowd->report->lost += greeted;
    crowd->report->failed += !greeted;
    crowd->settled += !greeted;
}

void member_greeted(struct member *member)
{
    struct crowd *crowd = member->crowd;
    member->state = MEMBER_OPEN;
    crowd->open++;
    if (member->greeted)
        return;
    member->greeted = true;
    member->change_ns = crowd_now_ns(crowd) + (int64_t)(crowd->config->change_s * 1e9);
    crowd->report->connected++;
    crowd->settled++;
}

static bool member_write(struct member *member, const void *bytes, size_t len)
{
    return channel_send(&member->channel, bytes, len) == (ssize_t)len;
}

// Client frames are masked; a mask keeps proxies from being fooled, so any even numbers will do.
static bool member_send(struct member *member, enum websocket_opcode opcode, const void *payload, size_t len)
{
    uint8_t frame[WEBSOCKET_MAX_HEAD_BYTES + 4 + MEMBER_FRAME_BYTES];
    if (len > MEMBER_FRAME_BYTES)
        return false;
    size_t at = websocket_write_head(frame, opcode, len);
    frame[1] |= 0x80;
    uint32_t mask = (uint32_t)random_u64((uint64_t)member->index, 1, (uint64_t)crowd_now_ns(member->crowd));
    memcpy(frame + at, &mask, 4);
    for (size_t i = 0; i < len; i++)
        frame[at + 4 + i] = ((const uint8_t *)payload)[i] ^ frame[at + i % 4];
    return member_write(member, frame, at + 4 + len);
}

void member_send_text(struct member *member, const char *text, size_t len)
{
    if (!member_send(member, WEBSOCKET_TEXT, text, len))
        member_fail(member, "the server does not read");
}

static bool member_reads(const struct member *member)
{
    return member->state == MEMBER_GREETING || member->state == MEMBER_OPEN;
}

void member_stall(struct member *member)
{
    if (member->channel.fd >= 0)
        uv_poll_stop(&member->poll);
}

void member_end(struct member *member)
{
    if (member->state == MEMBER_OPEN)
        (void)member_send(member, WEBSOCKET_CLOSE, (uint8_t[]){CLOSE_NORMAL >> 8, CLOSE_NORMAL & 0xff}, 2);
    member->crowd->report->lost += member->greeted && member->state != MEMBER_OPEN && member->state != MEMBER_ENDED;
    member_close(member);
}

void member_chunk(struct member *member, struct client_chunk *chunk)
{
    struct crowd *crowd = member->crowd;
    struct client_report *report = crowd->report;
    bool preroll = chunk->flags & MESSAGE_PREROLL;
    chunk->listener = member->index;
    chunk->format = member->format;
    report->format_chunks[chunk->format] += !preroll;
    if (member->decoder && preroll)
        decoder_renew(member->decoder);
    if (member->decoder)
        chunk->sound_frames = decoder_feed(member->decoder, chunk, &chunk->sound, &report->decode_errors);
    if (preroll)
        chunk->sound = NULL;
    else
        tally_chunk(&member->tally, chunk, &crowd->window, report);
    if (crowd->config->chunk)
        crowd->config->chunk(crowd->config->context, chunk);
}

static void member_closed_by_server(struct member *member, const uint8_t *payload, size_t len)
{
    int code = len >= 2 ? payload[0] << 8 | payload[1] : 1005;
    int words = len > 2 ? (int)len - 2 : 0;
    (void)member_send(member, WEBSOCKET_CLOSE, payload, len < 2 ? 0 : 2);
    member_fail(member, "closed by the server: %d %.*s", code, words, words ? (const char *)payload + 2 : "");
}

static bool member_frame(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct member *member = context;
    const struct dialect *protocol = member->crowd->dialect;
    bool good = true;
    if (opcode == WEBSOCKET_TEXT)
        good = protocol->text(member, bytes, len, member->arrival_ns);
    else if (opcode == WEBSOCKET_BINARY)
        good = protocol->binary(member, bytes, len, member->arrival_ns);
    else if (opcode == WEBSOCKET_PING)
        good = member_send(member, WEBSOCKET_PONG, bytes, len);
    else if (opcode == WEBSOCKET_CLOSE)
        member_closed_by_server(member, bytes, len);
    if (!good) {
        member->crowd->report->protocol_errors++;
        int shown = opcode == WEBSOCKET_BINARY ? 0 : len > 60 ? 60 : (int)len;
        member_fail(member, "a message breaks the protocol: %.*s", shown, (const char *)bytes);
    }
    return member_reads(member);
}

static void member_feed(struct member *member, const uint8_t *bytes, size_t len)
{
    enum status status = frame_reader_feed(&member->reader, bytes, len, member_frame, member);
    if (status == STATUS_INVALID)
        member->crowd->report->protocol_errors++;
    if (status != STATUS_OK && status != STATUS_CLOSED)
        member_fail(member, "frames of the server: %s", status_text(status));
    if (!member_reads(member))
        frame_reader_finish(&member->reader);
}

// Bytes of the HTTP answer; what follows its blank line are frames already.
static void member_answer(struct member *member, const uint8_t *bytes, size_t len)
{
    char reason[120];
    struct text failure = text_on(reason, sizeof reason);
    char *grown = realloc(member->answer, member->answer_len + len + 1);
    if (!grown || member->answer_len + len > CROWD_READ_BYTES) {
        member_fail(member, "no memory for the answer");
        return;
    }
    member->answer = grown;
    memcpy(grown + member->answer_len, bytes, len);
    member->answer_len += len;
    grown[member->answer_len] = '\0';
    char *end = strstr(grown, "\r\n\r\n");
    if (!end) {
        if (member->answer_len > CROWD_ANSWER_BYTES)
            member_fail(member, "the answer has no end");
        return;
    }
    const struct crowd *crowd = member->crowd;
    size_t head_len = (size_t)(end - grown) + 4;
    char first = grown[head_len];
    grown[head_len] = '\0';
    if (upgrade_read(grown, crowd->dialect->subprotocol, &crowd->key, &failure) != STATUS_OK) {
        member_fail(member, "%s", reason);
        return;
    }
    grown[head_len] = first;
    member->state = MEMBER_GREETING;
    member->answer = NULL;
    member_feed(member, (uint8_t *)grown + head_len, member->answer_len - head_len);
    free(grown);
}

static void member_readable(struct member *member)
{
    struct crowd *crowd = member->crowd;
    member->arrival_ns = crowd_now_ns(crowd);
    ssize_t got = channel_receive(&member->channel, crowd->buffer, CROWD_READ_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        member_fail(member, "connection lost: %s", got == 0 ? "closed without a word" : strerror(errno));
        return;
    }
    crowd->report->bytes += (uint64_t)got;
    if (member->state == MEMBER_HANDSHAKE)
        member_answer(member, crowd->buffer, (size_t)got);
    else
        member_feed(member, crowd->buffer, (size_t)got);
}

static void member_request(struct member *member)
{
    char target[768], request[1536];
    struct crowd *crowd = member->crowd;
    struct text target_text = text_on(target, sizeof target), text = text_on(request, sizeof request);
    crowd->dialect->target(crowd, member->index, &target_text);
    upgrade_write(&crowd->url, target, crowd->dialect->subprotocol, &crowd->key, &text);
    member->state = MEMBER_HANDSHAKE;
    if (text.full || !member_write(member, text.bytes, text.len))
        member_fail(member, "the request could not be sent");
    else
        member_watch(member, UV_READABLE);
}

// What the socket itself says is wrong; 0: nothing.
static int member_socket_error(const struct member *member)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(member->channel.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static void member_secure(struct member *member)
{
    char reason[140];
    struct text failure = text_on(reason, sizeof reason);
    switch (channel_handshake(&member->channel, &failure)) {
    case CHANNEL_READY: member_request(member); break;
    case CHANNEL_READS: member_watch(member, UV_READABLE); break;
    case CHANNEL_WRITES: member_watch(member, UV_WRITABLE); break;
    case CHANNEL_FAILED: member_fail(member, "%s", reason); break;
    }
}

static void member_connected(struct member *member)
{
    const struct crowd *crowd = member->crowd;
    int error = member_socket_error(member);
    if (error) {
        member_fail(member, "cannot connect: %s", strerror(error));
    } else if (!crowd->tls) {
        member_request(member);
    } else if (channel_begin_tls(&member->channel, crowd->tls, &crowd->url)) {
        member->state = MEMBER_SECURING;
        member_secure(member);
    } else {
        member_fail(member, "no memory for TLS");
    }
}

// A negative status tells that something is wrong, not what.
static void member_ready(uv_poll_t *poll, int status, int events)
{
    struct member *member = poll->data;
    if (member->state == MEMBER_CONNECTING)
        member_connected(member);
    else if (status < 0)
        member_fail(member, "connection lost: %s", strerror(member_socket_error(member)));
    else if (member->state == MEMBER_SECURING)
        member_secure(member);
    else
        member_readable(member);
}

static void member_watch(struct member *member, int events)
{
    if (uv_poll_start(&member->poll, events, member_ready) != 0)
        member_fail(member, "the socket cannot be watched");
}

// A source address gives some 28,000 connections to one server. Loopback has many addresses, so a crowd that is larger
// than that takes several; elsewhere the system chooses.
static void member_bind(int fd, const struct crowd *crowd, int index)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    const struct sockaddr_in *to = (const struct sockaddr_in *)&crowd->address;
    if (crowd->config->listeners <= MEMBERS_OF_AN_ADDRESS || crowd->address.ss_family != AF_INET ||
        ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index / MEMBERS_OF_AN_ADDRESS));
    (void)bind(fd, (const struct sockaddr *)&from, sizeof from);
}

// A non-blocking socket on its way. -1, with errno, when there is none.
static int member_socket(const struct crowd *crowd, int index)
{
    int fd = socket(crowd->address.ss_family, SOCK_STREAM, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    member_bind(fd, crowd, index);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        (connect(fd, (const struct sockaddr *)&crowd->address, crowd->address_len) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void member_connect(struct member *member)
{
    struct crowd *crowd = member->crowd;
    int fd = member_socket(crowd, member->index);
    if (fd < 0) {
        member_fail(member, "cannot connect: %s", strerror(errno));
        return;
    }
    if (uv_poll_init(&crowd->loop, &member->poll, fd) != 0) {
        close(fd);
        member_fail(member, "the socket cannot be watched");
        return;
    }
    member->channel.fd = fd;
    member->poll.data = member;
    member_watch(member, UV_WRITABLE);
}

void member_start(struct member *member, struct crowd *crowd, int index)
{
    *member = (struct member){.crowd = crowd, .index = index, .channel = {.fd = -1}, .state = MEMBER_CONNECTING,
                              .format = FORMAT_LEGACY};
    tally_begin(&member->tally, crowd->dialect->span, crowd_now_ns(crowd));
    if (index < crowd->config->decoders && !(member->decoder = decoder_create())) {
        member_fail(member, "no memory for a decoder");
        return;
    }
    member_connect(member);
}

// It is fresh but for what it has heard.
static void member_return(struct member *member, int64_t now_ns)
{
    frame_reader_finish(&member->reader);
    member->reader = (struct frame_reader){0};
    member->answer_len = 0;
    member->state = MEMBER_CONNECTING;
    member->retry_ns = now_ns + MEMBER_TRY_NS;
    member->arrival_ns = now_ns;
    member_connect(member);
}

void member_look(struct member *member, int64_t now_ns)
{
    bool silent = member->state == MEMBER_OPEN && now_ns - member->arrival_ns > MEMBER_SILENCE_NS;
    bool trying = member->greeted && member->state != MEMBER_OPEN && member->state < MEMBER_AWAY;
    if (member->state == MEMBER_AWAY && now_ns >= member->retry_ns)
        member_return(member, now_ns);
    else if (silent || (trying && now_ns >= member->retry_ns))
        member_fail(member, "nothing came for a while");
}
