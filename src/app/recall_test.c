#include "app/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"

#define S ((int64_t)NS_PER_SECOND)
#define UNIX_NS (INT64_C(1700000000) * S)

// A clock that has shown 1000 s since the boot, at a unix time.
static struct clock clock_at(int64_t unix_ns)
{
    struct clock clock;
    clock_init_virtual(&clock, 1000 * NS_PER_SECOND, unix_ns);
    return clock;
}

static double playhead_s(const struct store_station *station, uint64_t now_ns)
{
    return (double)(now_ns - (uint64_t)station->origin_boot_ns) / (double)NS_PER_SECOND;
}

// It began 900 s after a boot and was last seen 60 s later.
static struct store_station station_of(const char *boot_id)
{
    struct store_station station = {.origin_unix_ns = UNIX_NS, .origin_boot_ns = 900 * S,
                                    .reached_frame = 60 * FRAME_RATE};
    strcpy(station.boot_id, boot_id);
    return station;
}

// Unix time may have been set meanwhile.
static void in_the_same_boot_its_clock_tells(void **state)
{
    struct store_station station = station_of("this");
    struct clock clock = {0};
    clock_init(&clock, 1);
    clock.unix_offset_ns -= 86400 * S;
    uint64_t now_ns = clock_now_ns(&clock);
    station.origin_boot_ns = (int64_t)now_ns - 100 * S;
    assert_true(recall_place(&station, &clock, "this"));
    assert_true(station.origin_boot_ns == (int64_t)now_ns - 100 * S);
    assert_true(station.origin_unix_ns == UNIX_NS);
}

static void after_another_boot_unix_time_tells(void **state)
{
    struct store_station station = station_of("that");
    struct clock clock = clock_at(UNIX_NS + 5000 * S);
    assert_true(recall_place(&station, &clock, "this"));
    assert_float_equal(playhead_s(&station, 1000 * NS_PER_SECOND), 5000, 1e-6);
    assert_true(station.origin_boot_ns < 0);
    assert_true(station.origin_unix_ns == UNIX_NS);
    assert_string_equal(station.boot_id, "this");
}

static void where_the_system_does_not_tell_the_boot_unix_time_does(void **state)
{
    struct store_station station = station_of("");
    struct clock clock = clock_at(UNIX_NS + 5000 * S);
    assert_true(recall_place(&station, &clock, ""));
    assert_float_equal(playhead_s(&station, 1000 * NS_PER_SECOND), 5000, 1e-6);
}

// A machine without a clock of its own, and one that was set wrong before.
static void frames_never_run_backwards(void **state)
{
    static const int64_t unix_s[] = {0, 1699999999, 1700000059};
    for (size_t i = 0; i < sizeof unix_s / sizeof *unix_s; i++) {
        struct store_station station = station_of("that");
        struct clock clock = clock_at(unix_s[i] * S);
        assert_false(recall_place(&station, &clock, "this"));
        double at_s = playhead_s(&station, 1000 * NS_PER_SECOND);
        assert_true(at_s > 60 && at_s < 120);
        assert_float_equal((double)(unix_s[i] * S - station.origin_unix_ns) / 1e9, at_s, 1e-6);
    }
}

// It has gone on for 40 s since it was last seen, of which 20 s may have been heard by somebody; twelve a waking may
// reach back, and somewhat more than the lead is sent.
static void what_was_held_is_over_some_time(void **state)
{
    struct store_station station = station_of("this");
    struct clock clock = clock_at(UNIX_NS);
    assert_true(recall_rested(&station, &clock, 6 * FRAME_RATE));
    assert_false(recall_rested(&station, &clock, 8 * FRAME_RATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_same_boot_its_clock_tells),
        cmocka_unit_test(after_another_boot_unix_time_tells),
        cmocka_unit_test(where_the_system_does_not_tell_the_boot_unix_time_does),
        cmocka_unit_test(frames_never_run_backwards),
        cmocka_unit_test(what_was_held_is_over_some_time),
    };
    return cmocka_run_group_tests_name("recall", tests, NULL, NULL);
}
