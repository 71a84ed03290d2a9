#include "net/test_server.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "net/connection.h"

struct listener {
    struct test_server *server;
    struct connection *connection;
    size_t again_bytes;      // sent when it is writable
};

struct echo {
    struct test_server *server;
    uint8_t bytes[];
};

const struct net_limits test_limits = {
    .request_ms = 10000, .idle_ms = 30000, .crowded_ms = 1000, .ping_ms = 25000, .close_ms = 60000, .door_sockets = 64};

static void count(struct test_server *server, atomic_int *counter)
{
    atomic_fetch_add(counter, 1);
    wakeup_raise(&server->changed);
}

static void wait_at_gate(struct test_server *server)
{
    count(server, &server->held);
    assert_true(wakeup_wait(&server->gate, 10 * NS_PER_SECOND));
}

static void on_request(void *context, const struct http_request *request, struct http_response *response)
{
    struct test_server *server = context;
    char text[512];
    int len = snprintf(text, sizeof text, "%s %s?%s %zu %.32s", request->method, request->path, request->query,
                       request->body_len, request->body);
    if (strcmp(request->path, "/held") == 0 || strcmp(request->path, "/slow/held") == 0)
        wait_at_gate(server);
    if (strcmp(request->path, "/counted") == 0)
        count(server, &server->counted);
    if (strcmp(request->path, "/static") == 0)
        http_respond_static(response, 200, "application/octet-stream", server->payload, TEST_PAYLOAD_BYTES);
    else if (strcmp(request->path, "/large") == 0)
        http_respond_static(response, 200, "application/octet-stream", server->large, TEST_LARGE_BYTES);
    else if (strcmp(request->path, "/none") == 0)
        http_respond(response, 204, NULL, NULL, 0);
    else if (strcmp(request->path, "/silent") != 0) {
        http_response_header(response, "X-Extra", "yes");
        http_respond(response, 200, "text/plain", text, (size_t)len);
    }
}

static bool on_takes_time(void *context, const struct http_request *request)
{
    return strncmp(request->path, "/slow", 5) == 0;
}

static bool on_upgrade(void *context, const struct http_request *request, struct net_accept *accept,
                       struct http_response *response)
{
    if (strcmp(request->path, "/refuse") == 0) {
        http_respond(response, 403, "text/plain", "no", 2);
        return false;
    }
    if (strcmp(request->path, "/silent") == 0)
        return false;
    if (http_header(request, "sec-websocket-protocol"))
        accept->subprotocol = "test-v1";
    accept->max_message_bytes = strcmp(request->path, "/small") == 0 ? 100 : 65536;
    accept->send_buffer_bytes = strcmp(request->path, "/slow") == 0 ? 16384 : 0;
    snprintf((char *)accept->detail, sizeof accept->detail, "%s", request->path);
    return true;
}

static void on_abandoned(void *context, const struct net_accept *accept)
{
    struct test_server *server = context;
    count(server, &server->abandoned);
}

static void *on_open(void *context, int loop, struct connection *connection, const struct net_accept *accept)
{
    const char *path = (const char *)accept->detail;
    struct test_server *server = context;
    if (strcmp(path, "/null") == 0)
        return NULL;
    struct listener *listener = malloc(sizeof *listener);
    *listener = (struct listener){.server = server, .connection = connection};
    if (strcmp(path, "/hello") == 0)
        assert_true(connection_send_text(connection, "hello", 5));
    if (strcmp(path, "/bye") == 0)
        connection_close(connection, 4001, "at once");
    atomic_fetch_add(&server->opened_on[loop], 1);
    count(server, &server->opened);
    return listener;
}

static void on_released(void *pin, bool sent)
{
    struct test_server *server = pin;
    count(server, &server->released);
}

// A frame of the first `bytes` of the payload, its head the caller's own.
static void send_big(struct listener *listener, size_t bytes)
{
    struct test_server *server = listener->server;
    uint8_t head[WEBSOCKET_MAX_HEAD_BYTES];
    struct iovec slices[3] = {
        {head, websocket_write_head(head, WEBSOCKET_BINARY, bytes)},
        {server->payload, bytes / 2},
        {(uint8_t *)server->payload + bytes / 2, bytes - bytes / 2},
    };
    switch (connection_send(listener->connection, slices, 3, 1, on_released, server)) {
    case CONNECTION_SENT:
        on_released(server, true);
        count(server, &server->sent);
        break;
    case CONNECTION_PENDING: count(server, &server->pending); break;
    case CONNECTION_BUSY:
        count(server, &server->busy);
        listener->again_bytes = bytes;
        break;
    case CONNECTION_GONE: count(server, &server->gone); break;
    }
    memset(head, 0xee, sizeof head);
}

// Texts until one has to wait.
static void send_fill(struct listener *listener)
{
    uint64_t before;
    do {
        before = listener->connection->bytes_sent;
        assert_true(connection_send_text(listener->connection, "fill", 4));
    } while (listener->connection->bytes_sent > before);
}

static void send_texts(struct listener *listener, int n)
{
    char text[64];
    for (int i = 0; i < n; i++)
        if (!connection_send_text(listener->connection, text, (size_t)snprintf(text, sizeof text, "text %d", i))) {
            count(listener->server, &listener->server->refused_texts);
            break;
        }
}

static void release_echo(void *pin, bool sent)
{
    struct echo *echo = pin;
    count(echo->server, &echo->server->released);
    free(echo);
}

static void send_echo(struct listener *listener, const uint8_t *bytes, size_t len)
{
    struct echo *echo = malloc(sizeof *echo + WEBSOCKET_MAX_HEAD_BYTES + len);
    size_t head = websocket_write_head(echo->bytes, WEBSOCKET_BINARY, len);
    echo->server = listener->server;
    memcpy(echo->bytes + head, bytes, len);
    struct iovec slice = {echo->bytes, head + len};
    enum connection_sent sent = connection_send(listener->connection, &slice, 1, 0, release_echo, echo);
    if (sent == CONNECTION_SENT)
        release_echo(echo, true);
    else if (sent != CONNECTION_PENDING)
        free(echo);
}

// "big BYTES", "texts N", "fill", "hold", "go", "close CODE"; anything else is sent back.
static void on_word(struct listener *listener, const char *word)
{
    unsigned n;
    if (sscanf(word, "big %u", &n) == 1)
        send_big(listener, n);
    else if (sscanf(word, "texts %u", &n) == 1)
        send_texts(listener, (int)n);
    else if (strcmp(word, "fill") == 0)
        send_fill(listener);
    else if (strcmp(word, "hold") == 0)
        connection_hold(listener->connection);
    else if (strcmp(word, "go") == 0)
        connection_go(listener->connection);
    else if (sscanf(word, "close %u", &n) == 1)
        connection_close(listener->connection, (int)n, "as asked");
    else
        connection_send_text(listener->connection, word, strlen(word));
}

// Words are separated by "|".
static void on_message(void *data, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct listener *listener = data;
    if (opcode == WEBSOCKET_BINARY) {
        send_echo(listener, bytes, len);
        return;
    }
    char *words = malloc(len + 1), *rest = words, *word;
    memcpy(words, bytes, len);
    words[len] = '\0';
    while ((word = strsep(&rest, "|")))
        on_word(listener, word);
    free(words);
}

static void on_flooding(void *data)
{
    struct listener *listener = data;
    (void)connection_send_text(listener->connection, "too much", 8);
}

static void on_oversized(void *data)
{
    struct listener *listener = data;
    assert_true(connection_send_text(listener->connection, "too long", 8));
}

static void on_writable(void *data)
{
    struct listener *listener = data;
    size_t bytes = listener->again_bytes;
    count(listener->server, &listener->server->writable);
    listener->again_bytes = 0;
    if (bytes > 0)
        send_big(listener, bytes);
}

static void on_closed(void *data, int code)
{
    struct listener *listener = data;
    struct test_server *server = listener->server;
    free(listener);
    atomic_store(&server->closed_code, code);
    count(server, &server->closed);
}

static uint64_t on_tick(void *context, int loop, uint64_t now_ns)
{
    struct test_server *server = context;
    int i = atomic_load(&server->ticks);
    if (i < 64)
        atomic_store(&server->ticked_at_ns[i], now_ns);
    if (loop > atomic_load(&server->max_tick_loop))
        atomic_store(&server->max_tick_loop, loop);
    count(server, &server->ticks);
    return atomic_exchange(&server->next_tick_ns, UINT64_MAX);
}

static void test_server_begin(struct test_server *server, const char *address, const struct net_limits *limits,
                              SSL_CTX *tls)
{
    memset(server, 0, sizeof *server);
    clock_init(&server->clock, 1);
    wakeup_init(&server->gate);
    wakeup_init(&server->changed);
    atomic_store(&server->next_tick_ns, UINT64_MAX);
    uint8_t *payload = malloc(TEST_PAYLOAD_BYTES);
    for (size_t i = 0; i < TEST_PAYLOAD_BYTES; i++)
        payload[i] = (uint8_t)(i * 7 + i / 251);
    server->payload = payload;
    server->large = calloc(1, TEST_LARGE_BYTES);
    struct net_handlers handlers = {
        .context = server, .request_context = server, .request = on_request,
        .takes_time = on_takes_time, .upgrade = on_upgrade,
        .abandoned = on_abandoned, .open = on_open, .message = on_message, .oversized = on_oversized,
        .flooding = on_flooding,
        .writable = on_writable, .closed = on_closed, .tick = on_tick};
    struct net_config config = {.address = address, .loops = 2, .clock = &server->clock, .handlers = &handlers,
                                .server_name = "test/1", .tls = tls};
    assert_int_equal(STATUS_OK, net_create_limited(&server->net, &config, limits ? limits : &test_limits));
}

void test_server_start(struct test_server *server, const char *address, const struct net_limits *limits)
{
    test_server_begin(server, address, limits, NULL);
}

void test_server_start_tls(struct test_server *server, const struct net_limits *limits, SSL_CTX *tls)
{
    test_server_begin(server, "127.0.0.1", limits, tls);
}

void test_server_stop(struct test_server *server)
{
    net_destroy(server->net);
    assert_int_equal(atomic_load(&server->opened), atomic_load(&server->closed));
    wakeup_finish(&server->gate);
    wakeup_finish(&server->changed);
    free(server->payload);
    free(server->large);
}

void test_server_wait(struct test_server *server, atomic_int *counter, int value)
{
    for (int i = 0; atomic_load(counter) < value; i++) {
        assert_true(i < 1000);
        (void)wakeup_wait(&server->changed, 10 * NS_PER_SECOND);
    }
}
