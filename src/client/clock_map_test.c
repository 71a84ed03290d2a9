#include "client/clock_map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

// A server whose time began when the local clock showed 7,000 ms; `there` and `back` are the ways of a ping in ms.
static void ping(struct clock_map *map, int sent_ms, int there, int held, int back)
{
    double t1 = sent_ms + there - 7000;
    clock_map_sample(map, (uint64_t)(sent_ms * MS), t1, t1 + held, (uint64_t)((sent_ms + there + held + back) * MS));
}

static int64_t error_ns(const struct clock_map *map)
{
    return clock_map_local_ns(map, 1000) - 8000 * MS;
}

static void even_ways_give_it_exactly(void **state)
{
    struct clock_map map = {0};
    assert_false(map.known);
    ping(&map, 10000, 3, 50, 3);
    assert_true(map.known);
    assert_int_equal(error_ns(&map), 0);
    assert_int_equal(map.round_trip_ns, 6 * MS);
}

static void the_shortest_round_trip_wins(void **state)
{
    struct clock_map map = {0};
    ping(&map, 10000, 30, 0, 0);
    assert_int_equal(error_ns(&map), -15 * MS);
    ping(&map, 10100, 1, 0, 1);
    ping(&map, 10200, 0, 0, 90);
    assert_int_equal(error_ns(&map), 0);
}

static void old_ones_are_forgotten(void **state)
{
    struct clock_map map = {0};
    ping(&map, 9000, 0, 0, 0);
    for (int i = 0; i < CLOCK_MAP_SAMPLES; i++)
        ping(&map, 10000 + i, 4, 0, 0);
    assert_int_equal(map.round_trip_ns, 4 * MS);
    assert_int_equal(error_ns(&map), -2 * MS);
}

static void a_guess_gives_way(void **state)
{
    struct clock_map map = {0};
    clock_map_guess(&map, 500, 7550 * MS);
    assert_int_equal(error_ns(&map), 50 * MS);
    ping(&map, 10000, 2, 0, 2);
    clock_map_guess(&map, 500, 7550 * MS);
    assert_int_equal(error_ns(&map), 0);
}

static void nonsense_is_ignored(void **state)
{
    struct clock_map map = {0};
    clock_map_sample(&map, 2000, 1, 1, 1000);
    clock_map_sample(&map, 1000, 2, 1, 2000);
    assert_false(map.known);
    assert_int_equal(map.count, 0);
}

static void times_that_no_clock_shows_are_told_apart(void **state)
{
    static const double none[] = {1e13, -1e13, 1e300, -INFINITY, NAN};
    struct clock_map map = {0};
    int64_t due_ns;
    clock_map_guess(&map, 1000, 7000 * MS);
    assert_true(clock_map_tells(1.8e12) && clock_map_tells(-1000));
    assert_true(clock_map_due(&map, 3000, 7100 * MS, &due_ns));
    assert_int_equal(due_ns, 9000 * MS);
    assert_false(clock_map_due(&map, 3.3e10, 7100 * MS, &due_ns));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(clock_map_tells(none[i]));
        assert_false(clock_map_due(&map, none[i], 7100 * MS, &due_ns));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_ways_give_it_exactly), cmocka_unit_test(the_shortest_round_trip_wins),
        cmocka_unit_test(old_ones_are_forgotten), cmocka_unit_test(a_guess_gives_way),
        cmocka_unit_test(nonsense_is_ignored), cmocka_unit_test(times_that_no_clock_shows_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
