// Starting, stopping, and the time of the loops.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
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

static enum status create(const char *address, uint16_t port)
{
    struct net_handlers handlers = {0};
    struct net_config config = {.address = address, .port = port, .clock = &server.clock, .handlers = &handlers,
                                .server_name = "other"};
    struct net_server *other = server.net;
    enum status status = net_create(&other, &config);
    assert_int_equal(other != NULL, status == STATUS_OK);
    if (other)
        assert_true(net_loops(other) >= 1 && net_port(other) > 0);
    net_destroy(other);
    return status;
}

static void test_create(void **state)
{
    assert_int_equal(2, net_loops(server.net));
    assert_int_equal(STATUS_IN_USE, create("127.0.0.1", net_port(server.net)));
    assert_int_equal(STATUS_INVALID, create("example.org", 0));
    assert_int_equal(STATUS_INVALID, create("", 0));
    assert_int_equal(STATUS_INVALID, create("192.0.2.1", 0));
    assert_int_equal(STATUS_OK, create("0.0.0.0", 0));
    assert_int_equal(STATUS_OK, create("::1", 0));
    net_destroy(NULL);
}

// Never early, in any order of wishes, from another thread as from the loop's own.
static void test_ticks_come_at_their_time(void **state)
{
    uint64_t start_ns = clock_now_ns(&server.clock), next_ns = start_ns + 60 * NS_PER_MS;
    atomic_store(&server.next_tick_ns, next_ns);
    net_wake_at(server.net, 1, start_ns + 3600 * NS_PER_SECOND);
    net_wake_at(server.net, 1, start_ns + 30 * NS_PER_MS);
    net_wake_at(server.net, 1, start_ns + 40 * NS_PER_MS);
    test_server_wait(&server, &server.ticks, 2);
    assert_true(server.ticked_at_ns[0] >= start_ns + 30 * NS_PER_MS);
    assert_true(server.ticked_at_ns[1] >= next_ns);
    assert_int_equal(1, atomic_load(&server.max_tick_loop));
}

static void test_a_wish_in_the_past(void **state)
{
    net_wake_at(server.net, 0, 0);
    test_server_wait(&server, &server.ticks, 1);
    assert_int_equal(0, atomic_load(&server.max_tick_loop));
}

static void test_an_earlier_wish_overtakes(void **state)
{
    uint64_t now_ns = clock_now_ns(&server.clock);
    net_wake_at(server.net, 0, now_ns + 3600 * NS_PER_SECOND);
    net_wake_at(server.net, 0, now_ns + 5 * NS_PER_MS);
    test_server_wait(&server, &server.ticks, 1);
    assert_true(server.ticked_at_ns[0] < now_ns + 3600 * NS_PER_SECOND);
}

static void echo(int fd)
{
    client_text(fd, "echo");
    client_expect(fd, WEBSOCKET_TEXT, "echo");
}

// However busy the loop is, and whatever later times are wished for.
static void test_a_chain_of_ticks(void **state)
{
    int fd = client_websocket(net_port(server.net), "/ws");  // the only one, so it is on the first loop
    for (int i = 0; i < 40; i++) {
        uint64_t at_ns = clock_now_ns(&server.clock) + 2 * NS_PER_MS + (uint64_t)i * 50000;
        net_wake_at(server.net, 0, at_ns);
        for (int busy = 0; busy < i % 3; busy++)
            echo(fd);
        net_wake_at(server.net, 0, at_ns + 3600 * NS_PER_SECOND);
        while (i % 2 && atomic_load(&server.ticks) <= i)
            echo(fd);
        test_server_wait(&server, &server.ticks, i + 1);
        assert_true(server.ticked_at_ns[i] >= at_ns);
        assert_true(server.ticked_at_ns[i] < at_ns + 3600 * NS_PER_SECOND);
    }
    close(fd);
}

// At a hundred times the speed an hour from now is 36 s away, and a second is 10 ms.
static void test_ticks_of_a_scaled_clock(void **state)
{
    clock_init(&server.clock, 100);
    uint64_t now_ns = clock_now_ns(&server.clock);
    net_wake_at(server.net, 0, now_ns + 3600 * NS_PER_SECOND);
    net_wake_at(server.net, 0, now_ns + NS_PER_SECOND);
    test_server_wait(&server, &server.ticks, 1);
    assert_true(server.ticked_at_ns[0] >= now_ns + NS_PER_SECOND);
    assert_true(server.ticked_at_ns[0] < now_ns + 3600 * NS_PER_SECOND);
}

static void test_sockets_are_spread_over_the_loops(void **state)
{
    int fds[10];
    for (int i = 0; i < 10; i++)
        fds[i] = client_websocket(net_port(server.net), "/ws");
    test_server_wait(&server, &server.opened, 10);
    assert_int_equal(5, atomic_load(&server.opened_on[0]));
    assert_int_equal(5, atomic_load(&server.opened_on[1]));
    assert_int_equal(10, net_stats(server.net)->open_connections);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ticks_come_at_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_wish_in_the_past, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_earlier_wish_overtakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_chain_of_ticks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ticks_of_a_scaled_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sockets_are_spread_over_the_loops, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
