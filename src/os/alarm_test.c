#include "os/alarm.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <poll.h>
#include <stdbool.h>

#include "base/frames.h"

enum { FOR_EVER_MS = 10000 };

struct fixture {
    struct clock clock;
    struct alarm alarm;
};

static bool goes_off_within(const struct alarm *alarm, int limit_ms)
{
    struct pollfd wait = {.fd = alarm->descriptor, .events = POLLIN};
    return poll(&wait, 1, limit_ms) == 1;
}

static struct fixture begin(double speed)
{
    struct fixture fixture;
    clock_init(&fixture.clock, speed);
    assert_int_equal(alarm_init(&fixture.alarm), STATUS_OK);
    return fixture;
}

static void it_goes_off_at_its_time_and_not_before(void **state)
{
    struct fixture at = begin(1);
    uint64_t due_ns = clock_now_ns(&at.clock) + 20 * NS_PER_MS;
    alarm_set(&at.alarm, &at.clock, due_ns);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    assert_true(clock_now_ns(&at.clock) >= due_ns);
    assert_true(goes_off_within(&at.alarm, 0));   // until it is set anew
    alarm_finish(&at.alarm);
}

static void what_has_passed_goes_off_at_once(void **state)
{
    struct fixture at = begin(1);
    alarm_set(&at.alarm, &at.clock, clock_now_ns(&at.clock) - NS_PER_SECOND);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    alarm_finish(&at.alarm);
}

static void setting_it_takes_back_what_was_set(void **state)
{
    struct fixture at = begin(1);
    alarm_set(&at.alarm, &at.clock, 0);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    alarm_set(&at.alarm, &at.clock, clock_now_ns(&at.clock) + 1000 * NS_PER_SECOND);
    assert_false(goes_off_within(&at.alarm, 0));
    alarm_set(&at.alarm, &at.clock, 0);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    alarm_set(&at.alarm, &at.clock, UINT64_MAX);
    assert_false(goes_off_within(&at.alarm, 0));
    alarm_finish(&at.alarm);
    alarm_finish(&at.alarm);   // harmless
}

// A hundred seconds of its clock pass in a tenth of one.
static void it_follows_a_scaled_clock(void **state)
{
    struct fixture at = begin(1000);
    uint64_t due_ns = clock_now_ns(&at.clock) + 100 * NS_PER_SECOND;
    alarm_set(&at.alarm, &at.clock, due_ns);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    assert_true(clock_now_ns(&at.clock) >= due_ns);
    alarm_finish(&at.alarm);
}

static void a_virtual_clock_is_asked_again(void **state)
{
    struct fixture at = begin(1);
    clock_init_virtual(&at.clock, NS_PER_SECOND, 0);
    alarm_set(&at.alarm, &at.clock, 2 * NS_PER_SECOND);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    clock_advance(&at.clock, NS_PER_SECOND);
    alarm_set(&at.alarm, &at.clock, 2 * NS_PER_SECOND);
    assert_true(goes_off_within(&at.alarm, FOR_EVER_MS));
    alarm_finish(&at.alarm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_off_at_its_time_and_not_before),
        cmocka_unit_test(what_has_passed_goes_off_at_once),
        cmocka_unit_test(setting_it_takes_back_what_was_set),
        cmocka_unit_test(it_follows_a_scaled_clock),
        cmocka_unit_test(a_virtual_clock_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
