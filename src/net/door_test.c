// HTTP over real sockets.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/test_client.h"
#include "net/test_server.h"

static struct test_server server;
static char answer[TEST_PAYLOAD_BYTES + 4096];

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

static int connect_here(void)
{
    return client_connect(net_port(server.net), false, 0);
}

static int get(int fd, const char *path)
{
    return client_ask(fd, path, answer, sizeof answer);
}

static bool answer_has(const char *text)
{
    return strstr(answer, text) != NULL;
}

static void test_headers(void **state)
{
    int fd = connect_here();
    assert_int_equal(200, get(fd, "/a?b"));
    assert_true(answer_has("\r\nServer: test/1\r\n") && answer_has("\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_true(answer_has("\r\nX-Extra: yes\r\n") && answer_has("\r\nContent-Type: text/plain\r\n"));
    assert_true(answer_has("\r\nContent-Length: 11\r\n") && answer_has("\r\n\r\nGET /a?b 0 "));
    assert_true(answer_has("\r\nDate: ") && answer_has(" GMT\r\n"));
    assert_false(answer_has("Connection:"));
    close(fd);
}

static void test_keep_alive(void **state)
{
    int fd = connect_here();
    for (int i = 0; i < 100; i++)
        assert_int_equal(200, get(fd, "/"));
    assert_int_equal(1, net_stats(server.net)->accepted);
    assert_int_equal(100, net_stats(server.net)->requests);
    client_say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(answer_has("\r\nConnection: close\r\n"));
    assert_true(client_at_end(fd));
    close(fd);
}

static void test_http_1_0(void **state)
{
    int fd = connect_here();
    client_say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(answer_has("\r\nConnection: keep-alive\r\n"));
    client_say(fd, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(client_at_end(fd));
    close(fd);
}

static void test_pipelined(void **state)
{
    static const char one[] = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    char text[sizeof one * 500] = "";
    char *end = text;
    for (int i = 0; i < 500; i++)
        end = stpcpy(end, one);
    int fd = connect_here();
    client_say(fd, text);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
        assert_true(answer_has("POST /p? 3 abc"));
    }
    close(fd);
}

// What takes a while is answered by the clerk, in its turn, and nobody else waits for it.
static void test_what_takes_time_holds_nobody_up(void **state)
{
    int slow = connect_here(), other = connect_here(), third = connect_here();
    client_say(slow, "GET /slow/held HTTP/1.1\r\nHost: h\r\n\r\nPOST /slow/a HTTP/1.1\r\nHost: h\r\n"
                     "Content-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    test_server_wait(&server, &server.held, 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(200, get(other, "/quick"));
    client_say(third, "GET /slow/c HTTP/1.1\r\nHost: h\r\n\r\n");
    wakeup_raise(&server.gate);
    static const char *const texts[] = {"GET /slow/held? 0 ", "POST /slow/a? 3 abc", "GET /b? 0 "};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(200, client_answer(slow, answer, sizeof answer, false));
        assert_true(answer_has(texts[i]));
    }
    assert_int_equal(200, client_answer(third, answer, sizeof answer, false));
    assert_true(answer_has("GET /slow/c? 0 "));
    close(slow);
    close(other);
    close(third);
}

// Who goes while the clerk has its request, and a server that ends then.
static void test_who_goes_while_it_waits(void **state)
{
    int slow = connect_here(), next = connect_here();
    client_say(slow, "GET /slow/held HTTP/1.1\r\nHost: h\r\n\r\n");
    test_server_wait(&server, &server.held, 1);
    close(slow);
    client_say(next, "GET /slow/after HTTP/1.1\r\nHost: h\r\n\r\n");
    wakeup_raise(&server.gate);
    assert_int_equal(200, client_answer(next, answer, sizeof answer, false));
    client_say(next, "GET /slow/held HTTP/1.1\r\nHost: h\r\n\r\nGET /slow/x HTTP/1.1\r\nHost: h\r\n\r\n");
    test_server_wait(&server, &server.held, 2);
    wakeup_raise(&server.gate);
    close(next);
}

// Who sends many requests at once has one answered in a turn, like everybody else.
static void test_pipelined_lets_others_through(void **state)
{
    enum { MANY = 500 };
    static const char held[] = "GET /held HTTP/1.1\r\nHost: h\r\n\r\n";
    static const char one[] = "GET /counted HTTP/1.1\r\nHost: h\r\n\r\n";
    char text[sizeof held + sizeof one * MANY];
    char *end = stpcpy(text, held);
    for (int i = 0; i < MANY; i++)
        end = stpcpy(end, one);
    int greedy = connect_here(), modest = connect_here();
    assert_int_equal(200, get(modest, "/"));
    client_say(greedy, text);
    test_server_wait(&server, &server.held, 1);
    client_say(modest, "GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
    wakeup_raise(&server.gate);
    test_server_wait(&server, &server.held, 2);
    int before = atomic_load(&server.counted);
    wakeup_raise(&server.gate);
    assert_in_range(before, 0, MANY / 10);
    assert_int_equal(200, client_answer(modest, answer, sizeof answer, false));
    for (int i = 0; i <= MANY; i++)
        assert_int_equal(200, client_answer(greedy, answer, sizeof answer, false));
    close(greedy);
    close(modest);
}

// Requests go on being answered in order when the answers fill the socket.
static void test_pipelined_behind_large_answers(void **state)
{
    int fd = client_connect(net_port(server.net), false, 4096);
    for (int i = 0; i < 3; i++)
        client_say(fd, "GET /static HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
        assert_memory_equal(server.payload, strstr(answer, "\r\n\r\n") + 4, TEST_PAYLOAD_BYTES);
        assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
        assert_true(answer_has("GET /next?"));
    }
    close(fd);
}

static void test_byte_at_a_time(void **state)
{
    static const char text[] = "POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\n\r\n";
    int fd = connect_here();
    for (size_t i = 0; i < sizeof text - 1; i++)
        client_send(fd, text + i, 1);
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(answer_has("POST /slow? 3 abc"));
    close(fd);
}

static void test_head_and_no_content(void **state)
{
    int fd = connect_here();
    client_say(fd, "HEAD /static HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, true));
    assert_true(answer_has("\r\nContent-Length: 4194304\r\n"));
    client_say(fd, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, true));
    assert_int_equal(204, get(fd, "/none"));
    assert_false(answer_has("\nContent-Length") || answer_has("\nContent-Type"));
    assert_int_equal(200, get(fd, "/"));
    close(fd);
}

static void test_continue(void **state)
{
    int fd = connect_here();
    client_say(fd, "POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_int_equal(100, client_answer(fd, answer, sizeof answer, true));
    client_say(fd, "body");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    assert_true(answer_has("POST /c? 4 body"));
    client_say(fd, "POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
    assert_int_equal(200, client_answer(fd, answer, sizeof answer, false));
    close(fd);
}

static void test_unanswered_is_500(void **state)
{
    int fd = connect_here();
    assert_int_equal(500, get(fd, "/silent"));
    assert_true(answer_has("{\"error\":{\"code\":\"INTERNAL_ERROR\",\"message\":\"") && answer_has("\"timestamp\":1"));
    assert_true(answer_has("\"details\":{\"field\":null,\"value\":null,\"constraint\":null}}}"));
    assert_int_equal(200, get(fd, "/"));
    close(fd);
}

// Each is answered, also when more comes than is read, and the connection is closed in order.
static void refused(const char *text, size_t filler, int status)
{
    char *bytes = malloc(filler + 1);
    memset(bytes, 'a', filler);
    int fd = connect_here();
    client_say(fd, text);
    client_send(fd, bytes, filler);
    assert_int_equal(status, client_answer(fd, answer, sizeof answer, false));
    assert_true(answer_has("{\"error\":{\"code\":\"INVALID_PARAMETERS\"") && answer_has("\r\nConnection: close\r\n"));
    assert_true(client_at_end(fd));
    close(fd);
    free(bytes);
}

static void test_refusals(void **state)
{
    refused("nonsense\r\n\r\n", 0, 501);
    refused("\x01\r\n\r\n", 0, 400);
    refused("GET / HTTP/1.1\r\n\r\n", 0, 400);
    refused("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400);
    refused("GET /", 5000, 414);
    refused("GET / HTTP/1.1\r\nX: ", 17000, 431);
    refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n", 4000000, 413);
    refused("GET / HTTP/3.0\r\nHost: h\r\n\r\n", 0, 505);
    refused("POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", 1, 417);
    assert_int_equal(9, net_stats(server.net)->refused_by_parser);
    assert_int_equal(9, net_stats(server.net)->http_errors);
}

static int handshake(const char *headers)
{
    char text[1024];
    int fd = connect_here();
    strcat(strcat(strcpy(text, headers), "Host: h\r\n"), "\r\n");
    client_say(fd, text);
    int status = client_answer(fd, answer, sizeof answer, false);
    close(fd);
    return status;
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static void test_bad_handshakes(void **state)
{
    assert_int_equal(426, handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Version: 8\r\n"));
    assert_true(answer_has("\r\nSec-WebSocket-Version: 13\r\n"));
    assert_int_equal(426, handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY));
    assert_int_equal(400, handshake("GET /ws HTTP/1.1\r\n" UPGRADE VERSION));
    assert_int_equal(400, handshake("GET /ws HTTP/1.1\r\n" UPGRADE VERSION "Sec-WebSocket-Key: dGhl\r\n"));
    assert_int_equal(400, handshake("GET /ws HTTP/1.1\r\n" UPGRADE VERSION KEY KEY));
    assert_int_equal(400, handshake("GET /ws HTTP/1.1\r\n" UPGRADE VERSION
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=x\r\n"));
    assert_int_equal(400, handshake("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n" VERSION KEY));
    assert_int_equal(400, handshake("GET /ws HTTP/1.0\r\n" UPGRADE VERSION KEY));
    assert_int_equal(405, handshake("POST /ws HTTP/1.1\r\n" UPGRADE VERSION KEY));
    assert_true(answer_has("\r\nAllow: GET\r\n"));
    assert_int_equal(403, handshake("GET /refuse HTTP/1.1\r\n" UPGRADE VERSION KEY));
    assert_int_equal(500, handshake("GET /silent HTTP/1.1\r\n" UPGRADE VERSION KEY));
    assert_int_equal(200, handshake("GET /ws HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"));
    assert_int_equal(200, handshake("GET /ws HTTP/1.1\r\n" VERSION KEY));
    assert_int_equal(0, net_stats(server.net)->upgrades);
}

static void test_ipv6(void **state)
{
    test_server_stop(&server);
    test_server_start(&server, "::", NULL);
    int v4 = client_connect(net_port(server.net), false, 0), v6 = client_connect(net_port(server.net), true, 0);
    assert_int_equal(200, get(v4, "/"));
    assert_int_equal(200, get(v6, "/"));
    close(v4);
    close(v6);
}

static void restart_with(const struct net_limits *limits)
{
    test_server_stop(&server);
    test_server_start(&server, "127.0.0.1", limits);
}

static void test_time_outs(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 100, .idle_ms = 100, .crowded_ms = 100,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 64});
    int silent = connect_here(), head = connect_here(), body = connect_here(), idle = connect_here();
    client_say(head, "GET / HTT");
    client_say(body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
    assert_int_equal(200, get(idle, "/"));
    assert_true(client_at_end(silent));
    assert_int_equal(408, client_answer(head, answer, sizeof answer, false));
    assert_int_equal(408, client_answer(body, answer, sizeof answer, false));
    assert_int_equal(0, client_answer(idle, answer, sizeof answer, false));
    close(silent), close(head), close(body), close(idle);
}

// A reader that stops is cut off, and no other one notices.
static void test_answer_that_is_not_read(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 100, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 64});
    int stuck = client_connect(net_port(server.net), false, 4096), other = connect_here();
    client_say(stuck, "GET /static HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(200, get(other, "/"));
    while (net_stats(server.net)->open_http > 1)
        usleep(1000);
    assert_int_equal(200, get(other, "/"));
    close(stuck), close(other);
}

// The time is for each step of an answer, not for all of it.
static void test_answer_that_is_read_slowly(void **state)
{
    enum { PIECES = 15 };
    restart_with(&(struct net_limits){.request_ms = 1000, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 64});
    int fd = client_connect(net_port(server.net), false, 4096);
    client_say(fd, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < PIECES; i++) {
        usleep(100000);
        client_read(fd, answer, TEST_LARGE_BYTES / PIECES);
    }
    close(fd);
}

static void test_limit_of_sockets(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999,
                                      .ping_ms = 9999, .close_ms = 100, .door_sockets = 4});
    int fds[6];
    for (int i = 0; i < 4; i++) {
        fds[i] = connect_here();
        assert_int_equal(200, get(fds[i], "/"));
    }
    for (int i = 4; i < 6; i++) {  // each takes the place of the one that has been idle longest
        fds[i] = connect_here();
        assert_int_equal(200, get(fds[i], "/"));
    }
    assert_true(client_at_end(fds[0]) && client_at_end(fds[1]));
    for (int i = 2; i < 6; i++) {
        client_say(fds[i], "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n"
                           "Content-Length: 1\r\n\r\n");
        assert_int_equal(100, client_answer(fds[i], answer, sizeof answer, true));
    }
    int waiting = connect_here();
    client_say(waiting, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client_say(fds[2], "x");
    assert_int_equal(200, client_answer(fds[2], answer, sizeof answer, false));
    close(fds[2]);
    assert_int_equal(200, client_answer(waiting, answer, sizeof answer, false));
    for (int i = 0; i < 6; i++)
        if (i != 2)
            close(fds[i]);
    close(waiting);
}

// Half requests may not keep others out for as long as a request may take.
static void test_half_requests_make_room(void **state)
{
    restart_with(&(struct net_limits){.request_ms = 99999, .idle_ms = 99999, .crowded_ms = 50, .ping_ms = 9999,
                                      .close_ms = 100, .door_sockets = 4});
    int halves[4];
    for (int i = 0; i < 4; i++) {
        halves[i] = connect_here();
        client_say(halves[i], "GET / HTT");
    }
    int late = connect_here();
    assert_int_equal(200, get(late, "/"));
    assert_true(client_at_end(halves[0]));
    for (int i = 0; i < 4; i++)
        close(halves[i]);
    close(late);
}

static void test_no_descriptor_left(void **state)
{
    struct rlimit limit, small;
    int fds[8], first = connect_here();
    assert_int_equal(200, get(first, "/"));
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < 8; i++)
        assert_true((fds[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    // Our own sockets are there already, so only the server's accept can fail.
    small = limit;
    small.rlim_cur = (rlim_t)fds[7] + 1;
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &small));
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    assert_int_equal(0, getpeername(first, (struct sockaddr *)&address, &len));
    uint64_t cpu_ns = clock_process_cpu_ns();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(0, connect(fds[i], (struct sockaddr *)&address, len));
        assert_true(client_at_end(fds[i]));
    }
    assert_true(clock_process_cpu_ns() - cpu_ns < 200000000);
    assert_int_equal(200, get(first, "/"));
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &limit));
    assert_int_equal(0, connect(fds[3], (struct sockaddr *)&address, len));
    assert_int_equal(200, get(fds[3], "/"));
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    close(first);
}

static void test_stop_accepting(void **state)
{
    int fd = connect_here();
    assert_int_equal(200, get(fd, "/"));
    uint16_t port = net_port(server.net);
    net_stop_accepting(server.net);
    assert_int_equal(200, get(fd, "/"));
    // The port is free again once the listener is closed.
    struct net_server *other = NULL;
    struct net_handlers handlers = {0};
    struct net_config config = {.address = "127.0.0.1", .port = port, .loops = 1, .clock = &server.clock,
                                .handlers = &handlers, .server_name = "other"};
    while (net_create(&other, &config) == STATUS_IN_USE)
        usleep(1000);
    assert_non_null(other);
    net_destroy(other);
    assert_int_equal(200, get(fd, "/"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keep_alive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_http_1_0, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined_lets_others_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_takes_time_holds_nobody_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_goes_while_it_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined_behind_large_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_byte_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_and_no_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_continue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unanswered_is_500, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_handshakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_outs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_that_is_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_that_is_read_slowly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_requests_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptor_left, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_accepting, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
