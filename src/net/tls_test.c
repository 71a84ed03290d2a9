// TLS over real sockets, beside plain HTTP on the same port.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/frames.h"
#include "net/self_signed.h"
#include "net/test_client.h"
#include "net/test_server.h"

enum { MANY_TEXTS = 50, RECORD_PAYLOAD = 10000 };

static const struct net_limits hasty_limits = {
    .request_ms = 300, .idle_ms = 30000, .crowded_ms = 1000, .ping_ms = 25000, .close_ms = 60000, .door_sockets = 64};

static struct test_server server;
static char directory[] = "/tmp/auralis-tls-test-XXXXXX";
static char answer[TEST_PAYLOAD_BYTES + 4096];

// name: makes the certificate another one.
static SSL_CTX *certificate(const char *name)
{
    const char *names[] = {"localhost", name, NULL};
    char fault_bytes[256];
    struct text fault = text_on(fault_bytes, sizeof fault_bytes);
    bool made;
    SSL_CTX *tls;
    assert_int_equal(STATUS_OK, self_signed_load(directory, names, time(NULL), &tls, &made, &fault));
    return tls;
}

static int make_directory(void **state)
{
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    char path[64];
    snprintf(path, sizeof path, "%s/tls-cert.pem", directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/tls-key.pem", directory);
    unlink(path);
    return rmdir(directory);
}

static int setup(void **state)
{
    test_server_start_tls(&server, NULL, certificate("here"));
    return 0;
}

static int teardown(void **state)
{
    test_server_stop(&server);
    return 0;
}

static int connect_here(void)
{
    return client_connect(net_port(server.net), false, 0);
}

static int connect_secure(size_t step)
{
    int fd = connect_here();
    client_secure(fd, step);
    return fd;
}

static int get(int fd, const char *path)
{
    return client_ask(fd, path, answer, sizeof answer);
}

static void test_http(void **state)
{
    int fd = connect_secure(0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(200, get(fd, "/a?b"));
    assert_non_null(strstr(answer, "GET /a?b 0 "));
    client_say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(client_at_end(fd));
    close(fd);
    assert_int_equal(1, net_stats(server.net)->tls_handshakes);
    assert_int_equal(0, net_stats(server.net)->tls_failures);
}

static void test_pipelined_requests(void **state)
{
    int fd = connect_secure(0);
    client_say(fd, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\n"
                   "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, true));
    char *large = malloc(TEST_LARGE_BYTES);
    client_read(fd, large, TEST_LARGE_BYTES);
    assert_memory_equal(large, server.large, TEST_LARGE_BYTES);
    free(large);
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_non_null(strstr(answer, "GET /3?"));
    close(fd);
}

static void test_plain_and_tls_on_one_port(void **state)
{
    int plain = connect_here(), secure = connect_secure(0);
    assert_int_equal(200, get(plain, "/plain"));
    assert_int_equal(200, get(secure, "/secure"));
    client_upgrade(plain, "/ws");
    client_upgrade(secure, "/ws");
    client_text(plain, "one");
    client_text(secure, "two");
    client_expect(plain, WEBSOCKET_TEXT, "one");
    client_expect(secure, WEBSOCKET_TEXT, "two");
    client_bye(plain);
    client_bye(secure);
}

static void test_echo(void **state)
{
    int fd = client_secure_websocket(net_port(server.net), "/ws", 0);
    for (size_t len = 0; len <= 65536; len = len * 3 + 1) {
        client_frame(fd, true, WEBSOCKET_BINARY, server.payload, len);
        struct test_frame frame = client_read_frame(fd);
        assert_int_equal(len, frame.len);
        assert_memory_equal(server.payload, frame.bytes, len);
        free(frame.bytes);
    }
    client_bye(fd);
}

static void test_byte_at_a_time(void **state)
{
    int fd = connect_secure(1);
    client_upgrade(fd, "/ws");
    client_text(fd, "slowly");
    client_expect(fd, WEBSOCKET_TEXT, "slowly");
    client_bye(fd);
}

static void expect_payload(int fd, size_t bytes)
{
    struct test_frame frame = client_read_frame(fd);
    assert_int_equal(WEBSOCKET_BINARY, frame.opcode);
    assert_int_equal(bytes, frame.len);
    assert_memory_equal(server.payload, frame.bytes, bytes);
    free(frame.bytes);
}

// The client reads nothing until everything waits: a record is then held in part, and what was sent after it has to
// come after it.
static void test_partial_writes(void **state)
{
    int fd = client_secure_websocket(net_port(server.net), "/slow", 4096);
    for (int round = 1; round <= 3; round++) {
        char text[64];
        snprintf(text, sizeof text, "big %d|texts %d", TEST_PAYLOAD_BYTES, MANY_TEXTS);
        client_text(fd, text);
        test_server_wait(&server, &server.pending, round);
        expect_payload(fd, TEST_PAYLOAD_BYTES);
        for (int i = 0; i < MANY_TEXTS; i++) {
            snprintf(text, sizeof text, "text %d", i);
            client_expect(fd, WEBSOCKET_TEXT, text);
        }
        test_server_wait(&server, &server.released, round);
    }
    client_bye(fd);
}

// Sends a message of one record and waits until the server has it. False: it has to wait.
static bool sent_at_once(int fd)
{
    int before = atomic_load(&server.sent);
    client_text(fd, "big 10000");
    while (atomic_load(&server.sent) == before && atomic_load(&server.pending) == 0)
        (void)wakeup_wait(&server.changed, NS_PER_SECOND);
    return atomic_load(&server.pending) == 0;
}

// One message more on each connection, until one has to wait: then on the connection before it the last one was taken,
// but its record is held, and nothing is sent after it.
static void test_the_last_record_is_held(void **state)
{
    bool all_at_once = true;
    for (int count = 1; all_at_once; count++) {
        int fd = client_secure_websocket(net_port(server.net), "/slow", 4096), sent = 0;
        while (sent < count && all_at_once) {
            all_at_once = sent_at_once(fd);
            sent++;
        }
        for (int i = 0; i < sent; i++)
            expect_payload(fd, RECORD_PAYLOAD);
        client_bye(fd);
    }
}

// Texts until one waits: then a shared message, more texts, and the end.
static void test_order_when_a_record_is_held(void **state)
{
    struct test_frame frame;
    int fd = client_secure_websocket(net_port(server.net), "/slow", 4096), fills = 0;
    client_text(fd, "fill|big 300000|texts 3|close 4000");
    test_server_wait(&server, &server.pending, 1);
    for (frame = client_read_frame(fd); frame.len == 4; frame = client_read_frame(fd), fills++) {
        assert_memory_equal("fill", frame.bytes, 4);
        free(frame.bytes);
    }
    assert_true(fills > 100);
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "text %d", i);
        assert_string_equal(text, (char *)frame.bytes);
        free(frame.bytes);
        frame = client_read_frame(fd);
    }
    assert_int_equal(300000, frame.len);
    assert_memory_equal(server.payload, frame.bytes, frame.len);
    free(frame.bytes);
    client_expect_close(fd, 4000);
    close(fd);
    test_server_wait(&server, &server.closed, 1);
}

static void test_a_stalled_handshake_ends(void **state)
{
    static const char hello[] = {0x16, 3, 1, 0x01, 0x00, 1, 0, 0, (char)0xfc, 3, 3};
    test_server_stop(&server);
    test_server_start_tls(&server, &hasty_limits, certificate("here"));
    int silent = connect_here(), stalled = connect_here();
    client_send(stalled, hello, sizeof hello);
    assert_true(client_at_end(stalled));
    assert_true(client_at_end(silent));
    close(stalled);
    close(silent);
    int fd = connect_secure(0);
    assert_int_equal(200, get(fd, "/"));
    close(fd);
}

static void test_garbage(void **state)
{
    char garbage[4096];
    int good = client_secure_websocket(net_port(server.net), "/ws", 0);
    for (size_t round = 0; round < 20; round++) {
        int fd = connect_here();
        for (size_t i = 0; i < sizeof garbage; i++)
            garbage[i] = (char)(i * i * 31 + round * 7 + i / 13);
        garbage[0] = 0x16;
        garbage[1] = 3;
        garbage[2] = 1;
        garbage[3] = (char)(round & 1);
        client_send(fd, garbage, sizeof garbage);
        char bytes[64];
        while (recv(fd, bytes, sizeof bytes, 0) > 0)
            ;
        close(fd);
    }
    client_text(good, "still here");
    client_expect(good, WEBSOCKET_TEXT, "still here");
    client_bye(good);
    assert_int_equal(20, net_stats(server.net)->tls_failures);
}

// In the middle of what was a good stream.
static void test_garbage_after_the_handshake(void **state)
{
    int fd = client_secure_websocket(net_port(server.net), "/ws", 0);
    assert_int_equal(64, send(fd, server.payload, 64, MSG_NOSIGNAL));
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1006, atomic_load(&server.closed_code));
    close(fd);
}

static void test_reload(void **state)
{
    int old = client_secure_websocket(net_port(server.net), "/ws", 0), fd;
    uint64_t first = client_secured_by(old), second;
    net_use_tls(server.net, certificate("elsewhere"));
    do {
        fd = connect_secure(0);
        second = client_secured_by(fd);
        assert_int_equal(200, get(fd, "/"));
        close(fd);
    } while (second == first);
    client_text(old, "not dropped");
    client_expect(old, WEBSOCKET_TEXT, "not dropped");
    client_bye(old);
}

static void test_stop_says_goodbye(void **state)
{
    int fd = client_secure_websocket(net_port(server.net), "/ws", 0);
    test_server_wait(&server, &server.opened, 1);
    test_server_stop(&server);
    client_expect_close(fd, 1001);
    close(fd);
    test_server_start_tls(&server, NULL, certificate("here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_http), TEST(test_pipelined_requests), TEST(test_plain_and_tls_on_one_port), TEST(test_echo),
        TEST(test_byte_at_a_time), TEST(test_partial_writes), TEST(test_the_last_record_is_held),
        TEST(test_order_when_a_record_is_held),
        TEST(test_a_stalled_handshake_ends), TEST(test_garbage), TEST(test_garbage_after_the_handshake),
        TEST(test_reload), TEST(test_stop_says_goodbye),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
