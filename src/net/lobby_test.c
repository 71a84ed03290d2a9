// Who has to wait for a turn, and who has too many sockets at the door: over real sockets.
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
#include <unistd.h>

#include "net/test_client.h"
#include "net/test_server.h"

enum { CROWD = 12 };

static struct test_server server;
static char answer[8192];

static void begin(uint32_t rate, uint32_t wait_ms, int sockets_per_address)
{
    test_server_start(&server, "127.0.0.1",
                      &(struct net_limits){.request_ms = 9999, .idle_ms = 9999, .crowded_ms = 9999, .ping_ms = 9999,
                                           .close_ms = 5000, .door_sockets = 64, .accept_rate = rate,
                                           .accept_wait_ms = wait_ms, .sockets_per_address = sockets_per_address,
                                           .limit_loopback = true});
}

static int connect_here(void)
{
    return client_connect(net_port(server.net), false, 0);
}

static void ask(int fd)
{
    client_say(fd, "GET /hello HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n\r\n");
}

static int answer_of(int fd)
{
    return client_answer(fd, answer, sizeof answer, true);
}

static void get(int fd)
{
    client_say(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(client_answer(fd, answer, sizeof answer, false), 200);
}

// One at once, then one in 50 ms: nobody is refused, and what is no handshake does not wait.
static void everybody_gets_a_turn(void **state)
{
    int fds[CROWD];
    begin(20, 60000, 0);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_here();
        ask(fds[i]);
    }
    int other = connect_here();
    get(other);
    assert_in_range(atomic_load(&server.opened), 0, CROWD - 1);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(answer_of(fds[i]), 101);
        client_expect(fds[i], 1, "hello");
        test_server_wait(&server, &server.opened, i + 1);
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&net_stats(server.net)->waiting), 0);
    close(other);
    test_server_stop(&server);
}

static int retry_s(void)
{
    const char *at = strstr(answer, "\r\nRetry-After: ");
    return at ? atoi(at + strlen("\r\nRetry-After: ")) : 0;
}

// Who would have to wait too long is told when to come back, not all of them at the same time.
static void who_would_wait_too_long_is_refused(void **state)
{
    int waiting[3], spread = 0, first = 0;
    begin(1, 2000, 0);
    for (int i = 0; i < 3; i++) {
        waiting[i] = connect_here();
        ask(waiting[i]);
        while (i > 0 && atomic_load(&net_stats(server.net)->waiting) < i)
            usleep(1000);
    }
    for (int i = 0; i < CROWD; i++) {
        int fd = connect_here();
        ask(fd);
        assert_int_equal(client_answer(fd, answer, sizeof answer, false), 503);
        assert_non_null(strstr(answer, "SERVER_OVERLOAD"));
        assert_in_range(retry_s(), 1, 60);
        first = i == 0 ? retry_s() : first;
        spread += retry_s() != first;
        close(fd);
    }
    assert_in_range(spread, 1, CROWD);
    assert_int_equal(atomic_load(&net_stats(server.net)->refused_by_rate), CROWD);
    for (int i = 0; i < 3; i++)
        close(waiting[i]);
    test_server_stop(&server);
}

// At one in a second each would cost those behind it a second, for nothing.
static void who_has_gone_takes_no_turn(void **state)
{
    int gone[6];
    begin(1, 60000, 0);
    for (int i = 0; i < 6; i++) {
        gone[i] = connect_here();
        ask(gone[i]);
    }
    while (atomic_load(&net_stats(server.net)->waiting) < 5)
        usleep(1000);
    for (int i = 0; i < 6; i++)
        close(gone[i]);
    while (atomic_load(&net_stats(server.net)->waiting) > 0)
        usleep(1000);
    assert_in_range(atomic_load(&server.abandoned), 3, 6);
    int other = connect_here();
    ask(other);
    assert_int_equal(answer_of(other), 101);
    close(other);
    test_server_stop(&server);
}

static void a_server_that_ends_gives_them_up(void **state)
{
    int fds[3];
    begin(1, 60000, 0);
    for (int i = 0; i < 3; i++) {
        fds[i] = connect_here();
        ask(fds[i]);
    }
    while (atomic_load(&net_stats(server.net)->waiting) < 2)
        usleep(1000);
    test_server_stop(&server);
    assert_int_equal(atomic_load(&server.abandoned), 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void an_address_has_so_many_sockets(void **state)
{
    begin(0, 0, 2);
    int first = connect_here(), second = connect_here();
    get(first);
    get(second);
    int third = connect_here();
    assert_true(client_at_end(third));
    close(third);
    assert_int_equal(atomic_load(&net_stats(server.net)->refused_by_address), 1);
    client_upgrade(first, "/hello");
    client_expect(first, 1, "hello");
    int fourth = connect_here();   // a WebSocket is not at the door any more
    get(fourth);
    close(first);
    close(second);
    close(fourth);
    test_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_a_turn),
        cmocka_unit_test(who_would_wait_too_long_is_refused),
        cmocka_unit_test(who_has_gone_takes_no_turn),
        cmocka_unit_test(a_server_that_ends_gives_them_up),
        cmocka_unit_test(an_address_has_so_many_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
