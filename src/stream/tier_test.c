#include "stream/tier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"

// Accepts `count` chunks; every second one is `sway_ms` late.
static void feed(struct tier_meter *meter, int count, uint64_t sway_ms, int underrun_every)
{
    static uint64_t start_ns = NS_PER_SECOND;
    for (int i = 0; i < count; i++) {
        uint64_t at = start_ns + (uint64_t)i * 100 * NS_PER_MS + (uint64_t)(i % 2) * sway_ms * NS_PER_MS;
        tier_meter_accept(meter, at, underrun_every > 0 && i % underrun_every == 0);
    }
}

static void names_and_targets(void **state)
{
    static const uint32_t targets[] = {300, 500, 800, 1200};
    for (int i = 0; i < TIER_COUNT; i++) {
        enum tier tier = TIER_COUNT;
        assert_true(tier_from_name(tier_name((enum tier)i), &tier));
        assert_int_equal(tier, i);
        assert_int_equal(tier_target_ms(tier), targets[i]);
    }
    enum tier tier = TIER_STABLE;
    assert_false(tier_from_name("Normal", &tier));
    assert_int_equal(tier, TIER_STABLE);
}

static void jitter_is_the_distance_from_100_ms(void **state)
{
    struct tier_meter meter = {0};
    assert_int_equal(tier_meter_accept(&meter, 1000 * NS_PER_MS, false), 0);
    assert_int_equal(tier_meter_accept(&meter, 1130 * NS_PER_MS, false), 30 * NS_PER_MS);
    assert_float_equal(meter.jitter_ms, 3, 1e-9);
    assert_int_equal(tier_meter_accept(&meter, 1210 * NS_PER_MS, false), 20 * NS_PER_MS);
    assert_float_equal(meter.jitter_ms, 4.7, 1e-9);
    tier_meter_break(&meter);
    assert_int_equal(tier_meter_accept(&meter, 9000 * NS_PER_MS, false), 0);
    assert_float_equal(meter.jitter_ms, 4.7, 1e-9);
}

static void nothing_moves_before_fifty_chunks(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 49, 90, 1);
    assert_int_equal(tier_meter_look(&meter, TIER_NORMAL), TIER_NORMAL);
    feed(&meter, 1, 90, 1);
    assert_int_equal(tier_meter_look(&meter, TIER_NORMAL), TIER_STABLE);
    assert_int_equal(tier_meter_look(&meter, TIER_STABLE), TIER_STABLE);
}

static void a_quiet_listener_moves_down_to_the_least(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 50, 5, 0);
    assert_int_equal(tier_meter_look(&meter, TIER_NORMAL), TIER_MINIMAL);
    tier_meter_break(&meter);
    feed(&meter, 50, 5, 0);
    assert_int_equal(tier_meter_look(&meter, TIER_MINIMAL), TIER_MINIMAL);
}

static void between_the_bounds_it_stays(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 50, 30, 0);
    assert_true(tier_meter_spread_ms(&meter) > 20 && tier_meter_spread_ms(&meter) < 50);
    assert_int_equal(tier_meter_look(&meter, TIER_STABLE), TIER_STABLE);
}

static void underruns_alone_move_it_up(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 50, 0, 10);
    assert_float_equal(tier_meter_underrun_rate(&meter), .1, 1e-9);
    assert_int_equal(tier_meter_look(&meter, TIER_STABLE), TIER_DEFENSIVE);
    assert_string_equal(tier_meter_health(&meter), "critical");
    tier_meter_break(&meter);
    feed(&meter, 50, 0, 10);
    assert_int_equal(tier_meter_look(&meter, TIER_DEFENSIVE), TIER_DEFENSIVE);
}

static void one_underrun_in_fifty_keeps_it_where_it_is(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 50, 0, 50);
    assert_float_equal(tier_meter_underrun_rate(&meter), .02, 1e-9);
    assert_int_equal(tier_meter_look(&meter, TIER_STABLE), TIER_STABLE);
    assert_string_equal(tier_meter_health(&meter), "warning");
}

static void the_window_forgets(void **state)
{
    struct tier_meter meter = {0};
    feed(&meter, 50, 0, 1);
    assert_float_equal(tier_meter_underrun_rate(&meter), 1, 1e-9);
    tier_meter_break(&meter);
    feed(&meter, 50, 0, 0);
    assert_float_equal(tier_meter_underrun_rate(&meter), 0, 1e-9);
    assert_string_equal(tier_meter_health(&meter), "healthy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_targets),
        cmocka_unit_test(jitter_is_the_distance_from_100_ms),
        cmocka_unit_test(nothing_moves_before_fifty_chunks),
        cmocka_unit_test(a_quiet_listener_moves_down_to_the_least),
        cmocka_unit_test(between_the_bounds_it_stays),
        cmocka_unit_test(underruns_alone_move_it_up),
        cmocka_unit_test(one_underrun_in_fifty_keeps_it_where_it_is),
        cmocka_unit_test(the_window_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
