#include "net/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/io_loop.h"
#include "net/socket.h"
#include "net/socket_window.h"

static void connection_on_poll(uv_poll_t *poll, int status, int events);

static void connection_watch(struct connection *connection)
{
    int events = (connection->flooding ? 0 : UV_READABLE) | (connection->waiting ? UV_WRITABLE : 0);
    if (events == 0)
        uv_poll_stop(&connection->poll);
    else if (uv_poll_start(&connection->poll, events, connection_on_poll) != 0)
        connection_doom(connection);
}

static void connection_wait(struct connection *connection, bool waiting)
{
    if (connection->waiting == waiting || connection->state == CONNECTION_DOOMED)
        return;
    connection->waiting = waiting;
    connection_watch(connection);
}

void connection_doom(struct connection *connection)
{
    if (connection->state == CONNECTION_DOOMED)
        return;
    connection->state = CONNECTION_DOOMED;
    uv_poll_stop(&connection->poll);
    list_append(&connection->loop->doomed, &connection->link);
}

void connection_give_up(struct connection *connection)
{
    if (connection_unsent_bytes(connection) > 0)
        socket_forget_on_close(connection->transport.descriptor);
    connection_doom(connection);
}

static void connection_on_freed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    slab_give(&connection->loop->shared->connections, connection);
}

void connection_destroy(struct connection *connection)
{
    struct io_loop *loop = connection->loop;
    list_remove(&connection->link);
    outgoing_finish(&connection->outgoing);
    receiver_finish(&connection->receiver);
    if (connection->listener)
        loop->shared->handlers.closed(connection->listener, connection->close_code);
    uv_close((uv_handle_t *)&connection->poll, connection_on_freed);
    transport_close(&connection->transport);
    atomic_fetch_sub(&loop->shared->stats.open_connections, 1);
    atomic_fetch_sub(&loop->load, 1);
}

static void connection_count_memory_fault(struct connection *connection)
{
    atomic_fetch_add(&connection->loop->shared->stats.memory_faults, 1);
}

static size_t connection_spans_len(const struct iovec *spans, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += spans[i].iov_len;
    return len;
}

static void connection_count_sent(struct connection *connection, size_t len)
{
    connection->bytes_sent += len;
    connection->loop->bytes_sent += len;
    connection->loop->sends++;
}

static bool connection_all_sent(const struct connection *connection)
{
    return outgoing_empty(&connection->outgoing) && !transport_holds(&connection->transport);
}

// Nothing is left to say once both sides have spoken their last. The peer's end is waited for, and what still comes is
// read: closing over unread bytes resets the connection, and the close frame could be lost with it.
static void connection_half_close(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSING && (connection->deaf || connection->peer_done))
        transport_finish(&connection->transport);
}

// Everything that was to be sent is with the kernel.
static void connection_drained(struct connection *connection)
{
    connection_wait(connection, false);
    connection_half_close(connection);
}

// Sends as much as the kernel takes. False when the socket is lost.
static bool connection_flush(struct connection *connection)
{
    while (!connection_all_sent(connection)) {
        struct iovec spans[OUTGOING_MAX_SPANS];
        int count = outgoing_gather(&connection->outgoing, spans);
        size_t want = connection_spans_len(spans, count);
        ssize_t sent = transport_send(&connection->transport, spans, count);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            connection_wait(connection, true);
            return true;
        }
        if (sent < 0) {
            atomic_fetch_add(&connection->loop->shared->stats.send_errors, 1);
            connection_doom(connection);
            return false;
        }
        connection_count_sent(connection, (size_t)sent);
        outgoing_sent(&connection->outgoing, (size_t)sent);
        if ((size_t)sent < want || transport_holds(&connection->transport)) {
            connection_wait(connection, true);
            return true;
        }
    }
    connection_drained(connection);
    return true;
}

static void connection_flush_unless_waiting(struct connection *connection)
{
    if (!connection->waiting)
        (void)connection_flush(connection);
}

// Bytes of its own: straight to the kernel when nothing is before them, and what it does not take is queued. False when
// there is no room: nothing was sent, or half a frame was and the connection is doomed.
static bool connection_put(struct connection *connection, struct iovec slices[2])
{
    struct outgoing *outgoing = &connection->outgoing;
    size_t len = slices[0].iov_len + slices[1].iov_len;
    bool begun = false;
    if (len > RING_BYTES)
        return false;
    if (!connection->waiting && !connection->held && outgoing_empty(outgoing)) {
        ssize_t sent = transport_send(&connection->transport, slices, 2);
        if (sent > 0)
            connection_count_sent(connection, (size_t)sent);
        if (sent == (ssize_t)len) {
            connection_wait(connection, transport_holds(&connection->transport));
            return true;
        }
        begun = sent > 0;
        for (int i = 0; i < 2 && sent > 0; i++) {
            size_t part = (size_t)sent < slices[i].iov_len ? (size_t)sent : slices[i].iov_len;
            slices[i] = (struct iovec){(uint8_t *)slices[i].iov_base + part, slices[i].iov_len - part};
            sent -= (ssize_t)part;
        }
    }
    if (!outgoing_raw(outgoing, slices, 2)) {
        if (begun)
            connection_doom(connection);
        return false;
    }
    if (!connection->held)
        connection_flush_unless_waiting(connection);
    return true;
}

static bool connection_put_frame(struct connection *connection, enum websocket_opcode opcode, const void *payload,
                                 size_t len)
{
    uint8_t head[WEBSOCKET_MAX_HEAD_BYTES];
    struct iovec slices[2] = {
        {.iov_base = head, .iov_len = websocket_write_head(head, opcode, len)},
        {.iov_base = (void *)(uintptr_t)payload, .iov_len = len},
    };
    return connection_put(connection, slices);
}

bool connection_send_text(struct connection *connection, const char *text, size_t len)
{
    if (connection->state != CONNECTION_OPEN)
        return false;
    if (connection_put_frame(connection, WEBSOCKET_TEXT, text, len))
        return true;
    if (ring_room(&connection->outgoing.texts) < len + WEBSOCKET_MAX_HEAD_BYTES) {
        connection_close(connection, 1008, "does not read");
    } else {
        connection_count_memory_fault(connection);
        connection_close(connection, 1011, "short of memory");
    }
    return false;
}

// With nothing queued straight from where it stands, and most messages are gone here. False when the socket is lost.
static bool connection_send_now(struct connection *connection, const struct iovec *slices, int slice_count,
                                size_t *sent)
{
    ssize_t taken = transport_send(&connection->transport, slices, slice_count);
    bool full = taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    *sent = taken < 0 ? 0 : (size_t)taken;
    connection_count_sent(connection, *sent);
    if (taken >= 0 || full)
        return true;
    atomic_fetch_add(&connection->loop->shared->stats.send_errors, 1);
    connection_doom(connection);
    return false;
}

// What is left of the message under way stays until it is out.
static enum connection_sent connection_pin(struct connection *connection, void (*release)(void *pin, bool sent),
                                           void *pin)
{
    struct outgoing *outgoing = &connection->outgoing;
    outgoing->release = release;
    outgoing->pin = pin;
    if (outgoing_keep_own(outgoing))
        return CONNECTION_PENDING;
    outgoing_unshare(outgoing);
    connection_count_memory_fault(connection);
    connection_doom(connection);
    return CONNECTION_GONE;
}

// Stands in for the pin of a message while it may still go out as a whole.
static void connection_unpinned(void *pin, bool sent)
{
}

enum connection_sent connection_send(struct connection *connection, const struct iovec *slices, int slice_count,
                                     int shared_from, void (*release)(void *pin, bool sent), void *pin)
{
    struct outgoing *outgoing = &connection->outgoing;
    size_t sent = 0;
    if (connection->state != CONNECTION_OPEN)
        return CONNECTION_GONE;
    if (connection->waiting && outgoing->release)
        return CONNECTION_BUSY;
    if (!connection->waiting && outgoing_empty(outgoing)) {
        if (!connection_send_now(connection, slices, slice_count, &sent))
            return CONNECTION_GONE;
        if (sent == connection_spans_len(slices, slice_count)) {
            connection_wait(connection, transport_holds(&connection->transport));
            return CONNECTION_SENT;
        }
        connection_wait(connection, true);
    }
    outgoing_share(outgoing, slices, slice_count, shared_from, connection_unpinned, NULL);
    outgoing_sent(outgoing, sent);
    if (!connection->waiting && !connection_flush(connection))
        return CONNECTION_GONE;
    return outgoing->release ? connection_pin(connection, release, pin) : CONNECTION_SENT;
}

void connection_hold(struct connection *connection)
{
    connection->held = true;
}

void connection_go(struct connection *connection)
{
    connection->held = false;
    if (connection->state != CONNECTION_DOOMED && !outgoing_empty(&connection->outgoing))
        connection_flush_unless_waiting(connection);
}

void connection_foresee(const struct connection *connection)
{
    __builtin_prefetch(connection);
    __builtin_prefetch(&connection->outgoing.shared_at);
}

static void connection_begin_close(struct connection *connection, int code, const char *reason)
{
    struct io_loop *loop = connection->loop;
    connection->state = CONNECTION_CLOSING;
    connection->close_code = code;
    connection->due_ms = uv_now(&loop->uv) + loop->shared->limits.close_ms;
    list_append(&loop->closing, &connection->link);
    outgoing_close(&connection->outgoing, code, reason);
    connection_flush_unless_waiting(connection);
}

void connection_close(struct connection *connection, int code, const char *reason)
{
    if (connection->state == CONNECTION_OPEN)
        connection_begin_close(connection, code, reason);
}

bool connection_keep(struct connection *connection)
{
    if (outgoing_keep_all(&connection->outgoing))
        return true;
    connection_count_memory_fault(connection);
    connection_doom(connection);
    return false;
}

uint64_t connection_bytes_given(const struct connection *connection)
{
    return connection->bytes_sent + outgoing_bytes(&connection->outgoing);
}

bool connection_clear(const struct connection *connection)
{
    return outgoing_empty(&connection->outgoing);
}

uint64_t connection_waiting_bytes(const struct connection *connection)
{
    const struct transport *transport = &connection->transport;
    return socket_unsent(transport->descriptor) + transport_held(transport) + outgoing_bytes(&connection->outgoing);
}

uint64_t connection_unsent_bytes(const struct connection *connection)
{
    const struct transport *transport = &connection->transport;
    return socket_unacknowledged(transport->descriptor) + transport_held(transport) +
           outgoing_bytes(&connection->outgoing);
}

bool connection_peer_room(const struct connection *connection, uint64_t *taken, uint64_t *room)
{
    return socket_peer_room(connection->transport.descriptor, taken, room);
}

void connection_ping(struct connection *connection)
{
    struct io_loop *loop = connection->loop;
    connection->due_ms = uv_now(&loop->uv) + loop->shared->limits.ping_ms;
    list_append(&loop->open, &connection->link);
    (void)connection_put_frame(connection, WEBSOCKET_PING, "", 0);
}

static void connection_on_message(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct connection *connection = context;
    if (connection->state == CONNECTION_OPEN && connection->listener)
        connection->loop->shared->handlers.message(connection->listener, opcode, bytes, len);
}

// A peer that sends pings and reads nothing must not fill the room that texts need: then it gets no answer.
static void connection_on_ping(void *context, const uint8_t *bytes, size_t len)
{
    struct connection *connection = context;
    if (connection->state != CONNECTION_OPEN || ring_room(&connection->outgoing.texts) < RING_BYTES / 2)
        return;
    (void)connection_put_frame(connection, WEBSOCKET_PONG, bytes, len);
}

static const struct receiver_events connection_events = {
    .message = connection_on_message,
    .ping = connection_on_ping,
};

static void connection_peer_closed(struct connection *connection, int code)
{
    connection->peer_done = true;
    outgoing_drop_unbegun(&connection->outgoing);
    if (connection->state == CONNECTION_OPEN)
        connection_begin_close(connection, code, NULL);
    else if (connection_all_sent(connection))
        connection_half_close(connection);
}

// Whoever breaks the protocol is told so, unless it is being closed already: then its end will do.
static void connection_peer_failed(struct connection *connection, int code)
{
    if (connection->state == CONNECTION_CLOSING) {
        connection_peer_closed(connection, code);
        return;
    }
    connection->deaf = true;
    if (code == WSLAY_CODE_INTERNAL_SERVER_ERROR)
        connection_count_memory_fault(connection);
    if (code == WSLAY_CODE_MESSAGE_TOO_BIG && connection->listener)
        connection->loop->shared->handlers.oversized(connection->listener);
    connection_close(connection, code, NULL);
}

// Control frames and fragments are never the handler's, so whoever floods with them is stopped here.
static bool connection_floods(struct connection *connection)
{
    uint32_t limit = connection->loop->shared->limits.frames_per_second;
    return limit > 0 && connection->receiver.frames > limit;
}

// What it sends stays with the kernel until the close frame has had its time: reading it would be what it is after.
static void connection_stop_flood(struct connection *connection)
{
    connection->flooding = connection->deaf = true;
    if (connection->listener)
        connection->loop->shared->handlers.flooding(connection->listener);
    connection_close(connection, 1008, "too many frames");
    if (connection->state != CONNECTION_DOOMED)
        connection_watch(connection);
}

static void connection_count_anew(struct connection *connection)
{
    uint64_t now_ms = uv_now(&connection->loop->uv);
    if (now_ms - connection->second_ms < 1000)
        return;
    connection->second_ms = now_ms;
    connection->receiver.frames = 0;
}

static void connection_receive(struct connection *connection, const uint8_t *bytes, size_t len)
{
    int code;
    if (connection->deaf || connection->peer_done)
        return;
    connection_count_anew(connection);
    switch (receiver_feed(&connection->receiver, bytes, len, &code)) {
    case RECEIVER_OPEN: break;
    case RECEIVER_CLOSED: connection_peer_closed(connection, code); break;
    case RECEIVER_FAILED: connection_peer_failed(connection, code); break;
    }
    if (connection->state == CONNECTION_OPEN && connection_floods(connection))
        connection_stop_flood(connection);
}

static void connection_on_readable(struct connection *connection)
{
    struct io_loop *loop = connection->loop;
    ssize_t len = transport_receive(&connection->transport, loop->input, sizeof loop->input);
    if (len > 0)
        connection_receive(connection, loop->input, (size_t)len);
    else if (len == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        connection_doom(connection);
}

static void connection_on_writable(struct connection *connection)
{
    if (!connection_flush(connection) || connection->waiting)
        return;
    if (connection->state == CONNECTION_OPEN && connection->listener)
        connection->loop->shared->handlers.writable(connection->listener);
}

static void connection_on_poll(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    if (status < 0)
        connection_doom(connection);
    if (connection->state != CONNECTION_DOOMED && (events & UV_WRITABLE))
        connection_on_writable(connection);
    if (connection->state != CONNECTION_DOOMED && (events & UV_READABLE))
        connection_on_readable(connection);
}

static struct connection *connection_create(struct io_loop *loop, const struct handover *handover)
{
    struct connection *connection = handover->place;
    memset(connection, 0, sizeof *connection);
    connection->loop = loop;
    connection->transport = handover->transport;
    connection->close_code = 1006;
    if (uv_poll_init(&loop->uv, &connection->poll, handover->transport.descriptor) != 0)
        return NULL;
    connection->poll.data = connection;
    connection->due_ms = uv_now(&loop->uv) + loop->shared->limits.ping_ms;
    receiver_init(&connection->receiver, handover->accept.max_message_bytes, &connection_events, connection);
    list_init(&connection->link);
    list_append(&loop->open, &connection->link);
    atomic_fetch_add(&loop->shared->stats.open_connections, 1);
    return connection;
}

// The answer goes first, and whatever `open` sends comes after it.
static void connection_begin(struct connection *connection, struct handover *handover)
{
    const struct net_handlers *handlers = &connection->loop->shared->handlers;
    struct iovec answer[2] = {{.iov_base = handover->bytes, .iov_len = handover->answer_len}};
    if (handover->accept.send_buffer_bytes > 0)
        socket_set_send_buffer(connection->transport.descriptor, handover->accept.send_buffer_bytes);
    connection_watch(connection);
    if (!connection_put(connection, answer))
        connection_doom(connection);
    connection->listener =
        handlers->open(handlers->context, connection->loop->index, connection, &handover->accept);
    if (!connection->listener)
        connection_close(connection, 1013, "at capacity");
    else if (connection->loop->stopping)
        connection_close(connection, 1001, "the server goes");
    if (connection->state != CONNECTION_DOOMED && handover->extra_len > 0)
        connection_receive(connection, handover->bytes + handover->answer_len, handover->extra_len);
}

void handover_abandon(struct handover *handover, struct net_shared *shared)
{
    shared->handlers.abandoned(shared->handlers.context, &handover->accept);
    transport_close(&handover->transport);
    slab_give(&shared->connections, handover->place);
    free(handover);
}

void connection_adopt(struct io_loop *loop, struct handover *handover)
{
    struct connection *connection = connection_create(loop, handover);
    if (!connection) {
        handover_abandon(handover, loop->shared);
        atomic_fetch_sub(&loop->load, 1);
        return;
    }
    connection_begin(connection, handover);
    free(handover);
}
