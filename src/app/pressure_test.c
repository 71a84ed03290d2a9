#include "app/pressure.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

static struct pressure pressure;
static uint64_t now;

// A look a second; the level after it.
static enum pressure_level look(uint64_t headroom)
{
    enum pressure_level before = pressure.level;
    bool changed = pressure_look(&pressure, headroom, now++);
    assert_int_equal(changed, before != pressure.level);
    return pressure.level;
}

static void begin(uint64_t reserve)
{
    pressure_init(&pressure, reserve, 30);
    now = 0;
}

static void it_rises_a_step_at_a_look(void **state)
{
    begin(100);
    assert_int_equal(look(100), PRESSURE_NONE);
    assert_int_equal(look(0), PRESSURE_SHORT);
    assert_int_equal(look(0), PRESSURE_VERY_SHORT);
    assert_int_equal(look(0), PRESSURE_VERY_SHORT);
    begin(100);
    assert_int_equal(look(99), PRESSURE_SHORT);
    assert_int_equal(look(50), PRESSURE_SHORT);
    assert_int_equal(look(49), PRESSURE_VERY_SHORT);
}

static int looks_until(enum pressure_level level, uint64_t headroom)
{
    for (int i = 1; i < 1000; i++)
        if (look(headroom) == level)
            return i;
    return -1;
}

static void it_falls_a_step_after_each_calm(void **state)
{
    begin(100);
    (void)look(0);
    (void)look(0);
    assert_int_equal(looks_until(PRESSURE_SHORT, 1000), 31);
    assert_int_equal(looks_until(PRESSURE_NONE, 1000), 30);
}

static void almost_enough_is_not_calm(void **state)
{
    begin(100);
    (void)look(99);
    assert_int_equal(looks_until(PRESSURE_NONE, 124), -1);
    assert_int_equal(looks_until(PRESSURE_NONE, 125), 31);
}

static void an_interrupted_calm_begins_anew(void **state)
{
    begin(100);
    (void)look(99);
    for (int i = 0; i < 29; i++)
        (void)look(1000);
    (void)look(110);
    assert_int_equal(looks_until(PRESSURE_NONE, 1000), 31);
}

static void from_very_short_it_needs_half_to_be_only_short(void **state)
{
    begin(100);
    (void)look(0);
    (void)look(0);
    assert_int_equal(looks_until(PRESSURE_SHORT, 63), 31);
    assert_int_equal(looks_until(PRESSURE_NONE, 63), -1);
}

static void without_a_reserve_nothing_is_short(void **state)
{
    begin(0);
    assert_int_equal(look(0), PRESSURE_NONE);
    assert_int_equal(look(UINT64_MAX), PRESSURE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rises_a_step_at_a_look),
        cmocka_unit_test(it_falls_a_step_after_each_calm),
        cmocka_unit_test(almost_enough_is_not_calm),
        cmocka_unit_test(an_interrupted_calm_begins_anew),
        cmocka_unit_test(from_very_short_it_needs_half_to_be_only_short),
        cmocka_unit_test(without_a_reserve_nothing_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
