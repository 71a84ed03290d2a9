// WebSockets over real sockets.
// clang-format off
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/test_client.h"
#include "net/test_server.h"

static struct test_server server;

static int setup(void **state)
{
    test_server_start(&server, "127.0.0.1", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_server_stop(&server);
    return 0;
}

static void restart_with(const struct net_limits *limits)
{
    test_server_stop(&server);
    test_server_start(&server, "127.0.0.1", limits);
}

static int websocket(const char *target)
{
    return client_websocket(net_port(server.net), target);
}

static void test_echo(void **state)
{
    char long_text[5000];
    int fd = websocket("/ws");
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    client_text(fd, "one");
    client_expect(fd, WEBSOCKET_TEXT, "one");
    client_text(fd, "");
    client_expect(fd, WEBSOCKET_TEXT, "");
    client_text(fd, long_text);
    client_expect(fd, WEBSOCKET_TEXT, long_text);
    client_frame(fd, true, WEBSOCKET_BINARY, "\1\2\3", 3);
    client_expect(fd, WEBSOCKET_BINARY, "\1\2\3");
    test_server_wait(&server, &server.released, 1);
    client_bye(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1000, atomic_load(&server.closed_code));
}

static void test_fragments_and_pings(void **state)
{
    int fd = websocket("/ws");
    client_frame(fd, false, WEBSOCKET_TEXT, "on", 2);
    client_frame(fd, true, WEBSOCKET_PING, "p", 1);
    client_expect(fd, WEBSOCKET_PONG, "p");
    client_frame(fd, false, WEBSOCKET_CONTINUATION, "", 0);
    client_frame(fd, true, WEBSOCKET_CONTINUATION, "e", 1);
    client_expect(fd, WEBSOCKET_TEXT, "one");
    client_bye(fd);
}

// Frames that come in one piece with the request are not lost.
static void test_early_frames(void **state)
{
    static const char text[] =
        "GET /hello HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: test-v1\r\n\r\n\x81\x82\0\0\0\0hi\x81\x81";
    char answer[1000];
    int fd = client_connect(net_port(server.net), false, 0);
    client_say(fd, "GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    client_send(fd, text, sizeof text - 1);
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_int_equal(101, client_answer(fd, answer, sizeof answer, true));
    assert_non_null(strstr(answer, "\r\nSec-WebSocket-Protocol: test-v1\r\n"));
    client_expect(fd, WEBSOCKET_TEXT, "hello");
    client_expect(fd, WEBSOCKET_TEXT, "hi");
    client_send(fd, "\0\0\0\0x", 5);
    client_expect(fd, WEBSOCKET_TEXT, "x");
    client_bye(fd);
}

static void test_refused_by_open(void **state)
{
    int fd = websocket("/null");
    client_expect_close(fd, 1013);
    client_frame(fd, true, WEBSOCKET_CLOSE, "\x03\xf5", 2);
    assert_true(client_at_end(fd));
    close(fd);
    fd = websocket("/bye");
    client_expect_close(fd, 4001);
    close(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(4001, atomic_load(&server.closed_code));
    assert_int_equal(1, atomic_load(&server.opened));
}

static void closes_with(const char *target, const void *bytes, size_t len, int code)
{
    int closed = atomic_load(&server.closed), fd = websocket(target);
    client_send(fd, bytes, len);
    if (code == 1009)
        client_expect(fd, WEBSOCKET_TEXT, "too long");
    client_expect_close(fd, code);
    assert_true(client_at_end(fd));
    close(fd);
    test_server_wait(&server, &server.closed, closed + 1);
    assert_int_equal(code, atomic_load(&server.closed_code));
}

static void test_broken_rules(void **state)
{
    closes_with("/ws", "\x81\x01x", 3, 1002);                                   // not masked
    closes_with("/ws", "\xc1\x81\0\0\0\0x", 7, 1002);                           // reserved bit
    closes_with("/ws", "\x83\x81\0\0\0\0x", 7, 1002);                           // reserved opcode
    closes_with("/ws", "\x81\x81\0\0\0\0\xff", 7, 1007);                        // no UTF-8
    closes_with("/small", "\x82\xfe\0\x80\0\0\0\0x", 9, 1009);                  // 128 bytes to come
    closes_with("/ws", "\x82\xff\0\0\0\0\0\1\0\1\0\0\0\0x", 15, 1009);          // 65537 bytes to come
    closes_with("/ws", "\x88\x80\0\0\0\0", 6, 1005);                            // closed without a code
    assert_int_equal(0, atomic_load(&server.abandoned));
}

static void test_peer_that_just_goes(void **state)
{
    int fd = websocket("/ws");
    client_text(fd, "x");
    client_expect(fd, WEBSOCKET_TEXT, "x");
    close(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1006, atomic_load(&server.closed_code));
}

static void test_close_by_the_handler(void **state)
{
    int fd = websocket("/ws");
    client_text(fd, "a|close 4002|b|big 10|close 4003");
    client_expect(fd, WEBSOCKET_TEXT, "a");
    client_expect_close(fd, 4002);
    client_text(fd, "not heard any more");
    client_frame(fd, true, WEBSOCKET_CLOSE, "\x0f\xa2", 2);
    assert_true(client_at_end(fd));
    close(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(4002, atomic_load(&server.closed_code));
    assert_int_equal(1, atomic_load(&server.gone));
    assert_int_equal(0, atomic_load(&server.released));
}

static void test_close_that_is_not_answered(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 64});
    int fd = websocket("/ws");
    client_text(fd, "close 1001");
    client_expect_close(fd, 1001);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1001, atomic_load(&server.closed_code));
    assert_true(client_at_end(fd));
    close(fd);
}

static void test_pings_from_the_server(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 50, .close_ms = 5000, .door_sockets = 64});
    int fd = websocket("/ws");
    for (int i = 0; i < 3; i++) {
        client_expect(fd, WEBSOCKET_PING, "");
        client_frame(fd, true, WEBSOCKET_PONG, "", 0);
    }
    client_text(fd, "close 1000");
    struct test_frame frame;
    while ((frame = client_read_frame(fd)).opcode == WEBSOCKET_PING)
        free(frame.bytes);
    assert_int_equal(WEBSOCKET_CLOSE, frame.opcode);
    free(frame.bytes);
    close(fd);
}

static int slow_websocket(void)
{
    int fd = client_connect(net_port(server.net), false, 4096);
    client_upgrade(fd, "/slow");
    return fd;
}

static void expect_big(int fd, size_t bytes)
{
    struct test_frame frame = client_read_frame(fd);
    assert_int_equal(WEBSOCKET_BINARY, frame.opcode);
    assert_int_equal(bytes, frame.len);
    assert_memory_equal(server.payload, frame.bytes, bytes);
    free(frame.bytes);
}

static void expect_texts(int fd, int n)
{
    char text[32];
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "text %d", i);
        client_expect(fd, WEBSOCKET_TEXT, text);
    }
}

// A large message goes on in parts; texts wait for its end; a second one is refused until there is room.
static void test_slow_reader(void **state)
{
    int fd = slow_websocket();
    client_text(fd, "big 4000000|texts 20|big 70000|last");
    test_server_wait(&server, &server.busy, 1);
    assert_int_equal(1, atomic_load(&server.pending));
    assert_int_equal(0, atomic_load(&server.released));
    expect_big(fd, 4000000);
    expect_texts(fd, 20);
    client_expect(fd, WEBSOCKET_TEXT, "last");
    expect_big(fd, 70000);
    test_server_wait(&server, &server.released, 2);
    assert_true(atomic_load(&server.writable) >= 1);
    client_bye(fd);
    assert_int_equal(2, atomic_load(&server.released));
}

// Texts that wait go before what is shared and has not begun.
static void test_texts_first(void **state)
{
    int fd = slow_websocket();
    for (int i = 0; i < 5; i++) {
        client_text(fd, "big 300000|texts 3");
        expect_big(fd, 300000);
        expect_texts(fd, 3);
    }
    test_server_wait(&server, &server.released, 5);
    client_bye(fd);
}

static void expect_fill_until(int fd, const char *text)
{
    struct test_frame frame;
    while (strcmp((char *)(frame = client_read_frame(fd)).bytes, "fill") == 0)
        free(frame.bytes);
    assert_int_equal(WEBSOCKET_TEXT, frame.opcode);
    assert_string_equal(text, (char *)frame.bytes);
    free(frame.bytes);
}

static uint64_t sends(void)
{
    return atomic_load(&net_stats(server.net)->sends);
}

// Texts that are held go out with what is shared, or at the end, in one piece and in their order.
static void test_held_texts_go_with_what_is_shared(void **state)
{
    int fd = client_websocket(net_port(server.net), "/");
    uint64_t begun = sends(), before;
    client_text(fd, "first");
    client_expect(fd, WEBSOCKET_TEXT, "first");
    while ((before = sends()) == begun)   // it may be here before it is counted
        sched_yield();
    for (int i = 0; i < 10; i++) {
        client_text(fd, "hold|texts 3|big 1000|go");
        expect_texts(fd, 3);
        expect_big(fd, 1000);
        client_text(fd, "hold|texts 2|go");
        expect_texts(fd, 2);
    }
    client_text(fd, "last");
    client_expect(fd, WEBSOCKET_TEXT, "last");
    test_server_wait(&server, &server.sent, 10);
    while (sends() - before < 20)
        sched_yield();
    assert_in_range(sends() - before, 20, 21);
    client_bye(fd);
}

// A large message behind held texts goes on in parts, and its head is the sender's own.
static void test_held_texts_before_a_large_message(void **state)
{
    int fd = slow_websocket();
    for (int i = 0; i < 3; i++) {
        client_text(fd, "hold|texts 3|big 2000000|go|after");
        expect_texts(fd, 3);
        expect_big(fd, 2000000);
        client_expect(fd, WEBSOCKET_TEXT, "after");
    }
    test_server_wait(&server, &server.released, 3);
    client_bye(fd);
}

// What is shared and its head, which is the sender's own, stand behind texts that fill the socket.
static void test_shared_behind_texts(void **state)
{
    int fd = slow_websocket();
    client_text(fd, "fill|big 70000|last");
    test_server_wait(&server, &server.pending, 1);
    expect_fill_until(fd, "last");
    expect_big(fd, 70000);
    client_bye(fd);
}

// Whoever closes gets what is under way and no more.
static void test_nothing_is_begun_after_a_close(void **state)
{
    int fd = slow_websocket();
    client_text(fd, "fill|last|big 70000");
    test_server_wait(&server, &server.pending, 1);
    client_frame(fd, true, WEBSOCKET_CLOSE, "\x03\xe8", 2);
    test_server_wait(&server, &server.released, 1);
    expect_fill_until(fd, "last");
    client_expect_close(fd, 1000);
    assert_true(client_at_end(fd));
    close(fd);
}

static void test_close_waits_for_what_is_pending(void **state)
{
    int fd = slow_websocket();
    client_text(fd, "big 2000000|texts 2|close 1001");
    expect_big(fd, 2000000);
    expect_texts(fd, 2);
    client_expect_close(fd, 1001);
    close(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1, atomic_load(&server.released));
}

static void test_release_when_the_peer_goes(void **state)
{
    int fd = slow_websocket();
    client_text(fd, "big 4000000");
    test_server_wait(&server, &server.pending, 1);
    assert_int_equal(0, atomic_load(&server.released));
    close(fd);
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1, atomic_load(&server.released));
}

// Whoever does not read is closed with 1008 once the room for texts is used up.
static void test_texts_are_bounded(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 64});
    int fd = slow_websocket();
    client_text(fd, "big 4000000|texts 100000");
    test_server_wait(&server, &server.closed, 1);
    assert_int_equal(1, atomic_load(&server.refused_texts));
    assert_int_equal(1008, atomic_load(&server.closed_code));
    assert_int_equal(1, atomic_load(&server.released));
    close(fd);
}

// More pings than can be answered to somebody who does not read: nothing grows, texts still go out.
static void test_flood_of_pings(void **state)
{
    int fd = slow_websocket();
    char payload[125];
    memset(payload, 'p', sizeof payload);
    client_text(fd, "big 4000000");
    test_server_wait(&server, &server.pending, 1);
    for (int i = 0; i < 2000; i++)
        client_frame(fd, true, WEBSOCKET_PING, payload, sizeof payload);
    client_text(fd, "end");
    expect_big(fd, 4000000);
    int pongs = 0;
    struct test_frame frame;
    while ((frame = client_read_frame(fd)).opcode == WEBSOCKET_PONG) {
        free(frame.bytes);
        pongs++;
    }
    assert_string_equal("end", (char *)frame.bytes);
    free(frame.bytes);
    assert_in_range(pongs, 1, 2000);
    client_bye(fd);
}

// What is sent stays with the kernels.
static void assert_not_read(int fd)
{
    static const char zeros[65536];
    size_t sent = 0;
    ssize_t n;
    while ((n = send(fd, zeros, sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0 && sent < 64 << 20)
        sent += (size_t)n;
    assert_in_range(sent, 0, (64 << 20) - 1);
    assert_int_equal(n, -1);
    assert_int_equal(errno, EAGAIN);
}

// One that floods would have a loop for itself.
static void test_frames_are_bounded(void **state)
{
    static const int opcodes[] = {WEBSOCKET_PING, WEBSOCKET_PONG, 0};
    restart_with(&(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 5000, .door_sockets = 10, .frames_per_second = 100});
    for (int i = 0; i < 3; i++) {
        int fd = websocket("/ws");
        if (opcodes[i] == 0)
            client_frame(fd, false, WEBSOCKET_TEXT, "x", 1);
        for (int k = 0; k < 90; k++)
            client_frame(fd, opcodes[i] != 0, opcodes[i], "", 0);
        client_frame(fd, true, WEBSOCKET_PING, "mark", 4);
        struct test_frame frame = {0};
        do {
            free(frame.bytes);
            frame = client_read_frame(fd);
            assert_int_equal(frame.opcode, WEBSOCKET_PONG);
        } while (frame.len != 4);
        free(frame.bytes);
        for (int k = 0; k < 400; k++)
            client_frame(fd, opcodes[i] != 0, opcodes[i], "", 0);
        while ((frame = client_read_frame(fd)).opcode == WEBSOCKET_PONG)
            free(frame.bytes);
        assert_string_equal("too much", (char *)frame.bytes);
        free(frame.bytes);
        frame = client_read_frame(fd);
        assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
        assert_int_equal((uint8_t)frame.bytes[0] << 8 | (uint8_t)frame.bytes[1], 1008);
        free(frame.bytes);
        assert_not_read(fd);
        close(fd);
    }
}

static void test_many_come_and_go(void **state)
{
    for (int round = 0; round < 6; round++) {
        int fds[50];
        for (int i = 0; i < 50; i++)
            fds[i] = websocket("/hello");
        for (int i = 0; i < 50; i++)
            client_text(fds[i], i % 5 == 0 ? "big 500000" : "again");
        for (int i = 0; i < 50; i++) {
            if (i % 5 != 0) {
                client_expect(fds[i], WEBSOCKET_TEXT, "hello");
                client_expect(fds[i], WEBSOCKET_TEXT, "again");
            }
            if (i % 5 == 1)
                client_bye(fds[i]);
            else
                close(fds[i]);
        }
    }
    test_server_wait(&server, &server.closed, 300);
    assert_int_equal(300, atomic_load(&server.opened));
    assert_int_equal(300, net_stats(server.net)->upgrades);
    assert_int_equal(atomic_load(&server.sent) + atomic_load(&server.pending), atomic_load(&server.released));
    assert_true(net_stats(server.net)->bytes_sent > 0);
}

static void test_destroy_with_open_connections(void **state)
{
    int fds[20], slow = slow_websocket(), http = client_connect(net_port(server.net), false, 0);
    for (int i = 0; i < 20; i++)
        fds[i] = websocket("/ws");
    client_text(slow, "big 4000000");
    test_server_wait(&server, &server.pending, 1);
    test_server_wait(&server, &server.opened, 21);
    for (int i = 0; i < 20; i += 2)
        client_frame(fds[i], true, WEBSOCKET_CLOSE, "", 0);
    test_server_stop(&server);
    for (int i = 0; i < 20; i++) {
        struct test_frame frame = client_read_frame(fds[i]);
        assert_int_equal(WEBSOCKET_CLOSE, frame.opcode);
        if (i % 2 == 1)
            assert_int_equal(1001, frame.bytes[0] << 8 | frame.bytes[1]);
        free(frame.bytes);
        assert_true(client_at_end(fds[i]));
        close(fds[i]);
    }
    assert_int_equal(1, atomic_load(&server.released));
    assert_true(client_at_end(http));
    close(slow);
    close(http);
    test_server_start(&server, "127.0.0.1", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments_and_pings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_by_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_that_just_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_by_the_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_that_is_not_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pings_from_the_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_texts_go_with_what_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_texts_before_a_large_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_behind_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_begun_after_a_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_waits_for_what_is_pending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_release_when_the_peer_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_of_pings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frames_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_destroy_with_open_connections, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
