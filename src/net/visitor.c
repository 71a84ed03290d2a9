#include "net/visitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/door.h"
#include "net/handshake.h"
#include "net/http_response.h"
#include "net/socket.h"

enum { VISITOR_TLS_HANDSHAKE = 0x16 };

static void visitor_on_poll(uv_poll_t *poll, int status, int events);

static void visitor_count_memory_fault(struct door *door)
{
    atomic_fetch_add(&door->shared->stats.memory_faults, 1);
}

static void visitor_watch(struct visitor *visitor, int events)
{
    if (uv_poll_start(&visitor->poll, events, visitor_on_poll) != 0)
        visitor_end(visitor);
}

static void visitor_give_time(struct visitor *visitor, struct list *list, uint32_t ms)
{
    visitor->due_ms = uv_now(&visitor->door->uv) + ms;
    list_append(list, &visitor->link);
}

static void visitor_give_request_time(struct visitor *visitor)
{
    visitor_give_time(visitor, &visitor->door->busy, visitor->door->shared->limits.request_ms);
}

static void visitor_on_freed(uv_handle_t *handle)
{
    free(handle->data);
}

void visitor_end(struct visitor *visitor)
{
    struct door *door = visitor->door;
    if (visitor->state == VISITOR_GONE)
        return;
    visitor->state = VISITOR_GONE;
    list_remove(&visitor->link);
    callers_remove(&visitor->caller);
    uv_close((uv_handle_t *)&visitor->poll, visitor_on_freed);
    transport_close(&visitor->transport);
    http_parser_finish(&visitor->parser);
    free(visitor->answer);
    free(visitor->input);
    visitor->answer = visitor->input = NULL;
    door->visitors--;
    atomic_fetch_sub(&door->shared->stats.open_http, 1);
    door_has_room(door);
}

// The peer is told that nothing more comes, and gets time to read what came; closing at once could destroy it.
static void visitor_linger(struct visitor *visitor)
{
    visitor->state = VISITOR_LINGERING;
    transport_finish(&visitor->transport);
    visitor_give_time(visitor, &visitor->door->lingering, visitor->door->shared->limits.close_ms);
    visitor_watch(visitor, UV_READABLE);
}

static void visitor_answered(struct visitor *visitor)
{
    free(visitor->answer);
    visitor->answer = NULL;
    if (visitor->last) {
        visitor_linger(visitor);
        return;
    }
    visitor->state = VISITOR_READING;
    visitor->head_timed = visitor->body_timed = visitor->continued = false;
    visitor_give_time(visitor, &visitor->door->idle, visitor->door->shared->limits.idle_ms);
    visitor_watch(visitor, UV_READABLE);
}

static void visitor_take_off(struct visitor *visitor, size_t sent)
{
    atomic_fetch_add(&visitor->door->shared->stats.bytes_sent, sent);
    for (int i = 0; i < 2; i++) {
        struct iovec *left = &visitor->left[i];
        size_t part = sent < left->iov_len ? sent : left->iov_len;
        *left = (struct iovec){(char *)left->iov_base + part, left->iov_len - part};
        sent -= part;
    }
}

static void visitor_write(struct visitor *visitor)
{
    ssize_t sent = transport_send(&visitor->transport, visitor->left, 2);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        visitor_end(visitor);
        return;
    }
    if (sent > 0)
        visitor_take_off(visitor, (size_t)sent);
    if (visitor->left[0].iov_len + visitor->left[1].iov_len == 0 && !transport_holds(&visitor->transport)) {
        visitor_answered(visitor);
        return;
    }
    if (sent > 0)
        visitor_give_request_time(visitor);
    visitor_watch(visitor, UV_WRITABLE);
}

// Sends the answer; the request is no longer needed.
static void visitor_answer(struct visitor *visitor, struct http_response *response)
{
    struct net_stats *stats = &visitor->door->shared->stats;
    if (!response->answered)
        http_respond_error(response, 500, "INTERNAL_ERROR", "The request was not answered.", NULL, NULL, NULL);
    if (response->status >= 400)
        atomic_fetch_add(&stats->http_errors, 1);
    http_parser_reset(&visitor->parser);
    if (!response->head) {
        visitor_count_memory_fault(visitor->door);
        visitor_end(visitor);
        return;
    }
    visitor->answer = response->head;
    visitor->left[0] = (struct iovec){response->head, response->head_len};
    visitor->left[1] = (struct iovec){(void *)(uintptr_t)response->body, response->body_len};
    visitor->last = !response->keep_alive;
    visitor->state = VISITOR_ANSWERING;
    visitor_give_request_time(visitor);
    visitor_write(visitor);
}

static void visitor_prepare_answer(struct visitor *visitor, struct http_response *response)
{
    struct net_shared *shared = visitor->door->shared;
    const struct http_parser *parser = &visitor->parser;
    http_response_init(response, shared->server_name, clock_unix_ns(shared->clock));
    response->http_1_1 = parser->http_1_1 || !parser->head_done;
    response->keep_alive = parser->keep_alive;
    response->head_only = parser->request.method && strcmp(parser->request.method, "HEAD") == 0;
}

static void visitor_refuse(struct visitor *visitor, int status, const char *message, const char *field,
                           const char *constraint)
{
    struct http_response response;
    visitor_prepare_answer(visitor, &response);
    response.keep_alive = false;
    const char *code = status >= 500 && status != 501 && status != 505 ? "INTERNAL_ERROR" : "INVALID_PARAMETERS";
    http_respond_error(&response, status, code, message, field, NULL, constraint);
    visitor_answer(visitor, &response);
}

static struct handover *visitor_make_handover(const struct visitor *visitor, const struct net_accept *accept,
                                              const char *rest, size_t len)
{
    struct net_shared *shared = visitor->door->shared;
    struct handover *handover = malloc(sizeof *handover + HANDSHAKE_ANSWER_BYTES + len);
    size_t answer_len = handover ? handshake_answer(&visitor->parser.request, accept, shared->server_name,
                                                    (char *)handover->bytes) : 0;
    struct connection *place = answer_len > 0 ? slab_take(&shared->connections) : NULL;
    if (!place) {
        free(handover);
        return NULL;
    }
    handover->place = place;
    handover->transport = visitor->transport;
    handover->accept = *accept;
    handover->answer_len = answer_len;
    handover->extra_len = len;
    memcpy(handover->bytes + handover->answer_len, rest, len);
    return handover;
}

static void visitor_refuse_for_now(struct door *door, struct http_response *response)
{
    http_response_retry_after(response, http_retry_s(door->refused++));
    http_respond_error(response, 503, "SERVER_OVERLOAD", "at capacity", NULL, NULL, NULL);
}

// What the handler has agreed to. rest: bytes after the request, the first frames perhaps. The visitor ends before the
// loop gets the socket, so that this thread has nothing to do with it any more.
static void visitor_upgrade(struct visitor *visitor, const struct net_accept *accept, struct http_response *response,
                            const char *rest, size_t len)
{
    struct door *door = visitor->door;
    const struct net_handlers *handlers = &door->shared->handlers;
    check(!response->answered);
    struct handover *handover = visitor_make_handover(visitor, accept, rest, len);
    if (!handover) {
        visitor_count_memory_fault(door);
        handlers->abandoned(handlers->context, accept);
        visitor_refuse_for_now(door, response);
        visitor_answer(visitor, response);
        return;
    }
    visitor->transport = (struct transport){.descriptor = -1};
    visitor_end(visitor);
    atomic_fetch_add(&door->shared->stats.upgrades, 1);
    lobby_enter(&door->lobby, handover);
}

static bool visitor_may_enter(struct visitor *visitor, struct http_response *response)
{
    struct door *door = visitor->door;
    if (lobby_has_room(&door->lobby))
        return true;
    atomic_fetch_add(&door->shared->stats.refused_by_rate, 1);
    visitor_refuse_for_now(door, response);
    return false;
}

static void visitor_turn_away(struct visitor *visitor)
{
    struct http_response response;
    visitor_prepare_answer(visitor, &response);
    visitor_refuse_for_now(visitor->door, &response);
    visitor_answer(visitor, &response);
}

// Nothing happens to it until the clerk has answered.
static void visitor_leave_to_clerk(struct visitor *visitor)
{
    struct door *door = visitor->door;
    struct errand *errand = malloc(sizeof *errand);
    if (!errand) {
        visitor_count_memory_fault(door);
        visitor_end(visitor);
        return;
    }
    errand->visitor = visitor;
    errand->request = &visitor->parser.request;
    visitor_prepare_answer(visitor, &errand->response);
    if (!clerk_ask(&door->clerk, errand)) {
        free(errand);
        visitor_turn_away(visitor);
        return;
    }
    visitor->state = VISITOR_WAITING;
    list_append(&door->waiting, &visitor->link);
    uv_poll_stop(&visitor->poll);
}

static bool visitor_takes_time(const struct visitor *visitor)
{
    const struct net_handlers *handlers = &visitor->door->shared->handlers;
    const struct http_request *request = &visitor->parser.request;
    return handlers->takes_time && !handshake_wanted(request) &&
           handlers->takes_time(handlers->request_context, request);
}

static void visitor_request(struct visitor *visitor, const char *rest, size_t len)
{
    struct net_shared *shared = visitor->door->shared;
    struct http_request *request = &visitor->parser.request;
    struct net_accept accept = {0};
    struct http_response response;
    atomic_fetch_add(&shared->stats.requests, 1);
    request->peer = visitor->peer;
    request->secure = visitor->transport.tls;
    forwarded_apply(&shared->proxies, request);
    if (visitor_takes_time(visitor)) {
        visitor_leave_to_clerk(visitor);
        return;
    }
    visitor_prepare_answer(visitor, &response);
    if (!handshake_wanted(request)) {
        shared->handlers.request(shared->handlers.request_context, request, &response);
    } else if (handshake_check(request, visitor->parser.http_1_1, &response) && visitor_may_enter(visitor, &response) &&
               shared->handlers.upgrade(shared->handlers.context, request, &accept, &response)) {
        visitor_upgrade(visitor, &accept, &response, rest, len);
        return;
    }
    visitor_answer(visitor, &response);
}

static void visitor_continue(struct visitor *visitor)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec span = {(void *)(uintptr_t)text, sizeof text - 1};
    visitor->continued = true;
    if (transport_send(&visitor->transport, &span, 1) != (ssize_t)span.iov_len)
        visitor_end(visitor);
}

// A request has come in part: its head and its body have a time each.
static void visitor_expect_more(struct visitor *visitor)
{
    const struct http_parser *parser = &visitor->parser;
    if (!visitor->head_timed || (parser->head_done && !visitor->body_timed))
        visitor_give_request_time(visitor);
    visitor->head_timed = true;
    visitor->body_timed = parser->head_done;
    if (parser->wants_continue && !visitor->continued && parser->request.body_len == 0)
        visitor_continue(visitor);
}

static void visitor_fault(struct visitor *visitor)
{
    const struct http_fault *fault = &visitor->parser.fault;
    atomic_fetch_add(&visitor->door->shared->stats.refused_by_parser, 1);
    visitor_refuse(visitor, fault->status, fault->message, fault->field, fault->constraint);
}

static bool visitor_goes_on(const struct visitor *visitor)
{
    return visitor->state == VISITOR_READING || visitor->state == VISITOR_WAITING ||
           (visitor->state == VISITOR_ANSWERING && !visitor->last);
}

static void visitor_keep_input(struct visitor *visitor, const char *bytes, size_t len)
{
    visitor->input = malloc(len);
    if (!visitor->input) {
        visitor_count_memory_fault(visitor->door);
        visitor_end(visitor);
        return;
    }
    memcpy(visitor->input, bytes, len);
    visitor->input_at = 0;
    visitor->input_len = len;
}

static void visitor_drop_input(struct visitor *visitor)
{
    free(visitor->input);
    visitor->input = NULL;
}

// Up to the end of one request, however many have come together: others wait for their turn as well. Returns how many
// bytes it has used.
static size_t visitor_parse(struct visitor *visitor, const char *bytes, size_t len)
{
    enum http_parse result = HTTP_PARSE_MORE;
    size_t at = 0, used;
    while (at < len && visitor->state == VISITOR_READING && result != HTTP_PARSE_DONE) {
        result = http_parser_feed(&visitor->parser, bytes + at, len - at, &used);
        at += used;
        if (result == HTTP_PARSE_DONE)
            visitor_request(visitor, bytes + at, len - at);
        else if (result == HTTP_PARSE_FAILED)
            visitor_fault(visitor);
        else
            visitor_expect_more(visitor);
    }
    return at;
}

// The next turn comes as soon as the others have had theirs: a socket that has taken an answer can be written to.
static void visitor_consume(struct visitor *visitor, const char *bytes, size_t len)
{
    size_t used = visitor_parse(visitor, bytes, len);
    if (used == len || !visitor_goes_on(visitor))
        return;
    visitor_keep_input(visitor, bytes + used, len - used);
    if (visitor->state == VISITOR_READING)
        visitor_watch(visitor, UV_WRITABLE);
}

static void visitor_consume_kept(struct visitor *visitor)
{
    visitor->input_at += visitor_parse(visitor, visitor->input + visitor->input_at,
                                       visitor->input_len - visitor->input_at);
    if (visitor->input && (visitor->input_at == visitor->input_len || !visitor_goes_on(visitor)))
        visitor_drop_input(visitor);
    if (visitor->state == VISITOR_READING)
        visitor_watch(visitor, visitor->input ? UV_WRITABLE : UV_READABLE);
}

static void visitor_on_readable(struct visitor *visitor)
{
    struct door *door = visitor->door;
    ssize_t len = transport_receive(&visitor->transport, door->input, sizeof door->input);
    if (len > 0)
        visitor_consume(visitor, door->input, (size_t)len);
    else if (len == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        visitor_end(visitor);
}

static void visitor_secure(struct visitor *visitor)
{
    switch (tls_stream_handshake(visitor->transport.tls)) {
    case TLS_HANDSHAKE_DONE: visitor->state = VISITOR_READING; break;
    case TLS_HANDSHAKE_READS: break;
    case TLS_HANDSHAKE_WRITES: visitor_watch(visitor, UV_WRITABLE); return;
    case TLS_HANDSHAKE_FAILED:
        atomic_fetch_add(&visitor->door->shared->stats.tls_failures, 1);
        visitor_end(visitor);
        return;
    }
    visitor_watch(visitor, UV_READABLE);
}

// Both are spoken on one port: a TLS handshake begins with a byte that no HTTP method does.
static void visitor_on_first_byte(struct visitor *visitor)
{
    struct door *door = visitor->door;
    char first;
    ssize_t len = recv(visitor->transport.descriptor, &first, 1, MSG_PEEK);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    visitor->state = VISITOR_READING;
    if (len != 1 || first != VISITOR_TLS_HANDSHAKE) {
        visitor_on_readable(visitor);
        return;
    }
    visitor->transport.tls =
        tls_stream_create(door->tls, door->shared->tls_method, visitor->transport.descriptor);
    visitor->state = VISITOR_SECURING;
    atomic_fetch_add(&door->shared->stats.tls_handshakes, 1);
    if (visitor->transport.tls)
        visitor_secure(visitor);
    else
        visitor_end(visitor);
}

static void visitor_go_on(struct visitor *visitor)
{
    if (visitor->state == VISITOR_READING && visitor->input)
        visitor_consume_kept(visitor);
}

static void visitor_on_writable(struct visitor *visitor)
{
    visitor_write(visitor);
    visitor_go_on(visitor);
}

void visitor_served(struct visitor *visitor, struct http_response *response)
{
    visitor_answer(visitor, response);
    visitor_go_on(visitor);
}

static void visitor_on_poll(uv_poll_t *poll, int status, int events)
{
    struct visitor *visitor = poll->data;
    if (status < 0)
        visitor_end(visitor);
    else if (visitor->state == VISITOR_ANSWERING)
        visitor_on_writable(visitor);
    else if (visitor->state == VISITOR_ARRIVED)
        visitor_on_first_byte(visitor);
    else if (visitor->state == VISITOR_SECURING)
        visitor_secure(visitor);
    else if (visitor->state == VISITOR_READING && visitor->input)
        visitor_consume_kept(visitor);
    else if (visitor->state != VISITOR_GONE)
        visitor_on_readable(visitor);
}

void visitor_timeout(struct visitor *visitor)
{
    if (visitor->state == VISITOR_READING && visitor->parser.started)
        visitor_refuse(visitor, 408, "The request did not come in time.", "request", NULL);
    else
        visitor_end(visitor);
}

bool visitor_welcome(struct door *door, int descriptor, const struct http_peer *peer)
{
    struct visitor *visitor = malloc(sizeof *visitor);
    if (!visitor || uv_poll_init(&door->uv, &visitor->poll, descriptor) != 0) {
        visitor_count_memory_fault(door);
        free(visitor);
        close(descriptor);
        return false;
    }
    memset((char *)visitor + sizeof visitor->poll, 0, offsetof(struct visitor, parser) - sizeof visitor->poll);
    visitor->poll.data = visitor;
    visitor->door = door;
    visitor->transport.descriptor = descriptor;
    visitor->peer = *peer;
    visitor->state = door->tls ? VISITOR_ARRIVED : VISITOR_READING;
    http_parser_init(&visitor->parser);
    list_init(&visitor->link);
    callers_add(&door->callers, &visitor->caller, peer->key);
    door->visitors++;
    atomic_fetch_add(&door->shared->stats.open_http, 1);
    visitor_give_request_time(visitor);
    visitor_watch(visitor, UV_READABLE);
    return true;
}
