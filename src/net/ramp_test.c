#include "net/ramp.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

// How many get in when everybody asks at this moment.
static int let_in(struct ramp *ramp, uint64_t now_ms)
{
    int count = 0;
    while (count < 1000000 && ramp_take(ramp, now_ms))
        count++;
    return count;
}

static void a_tenth_of_a_second_at_once_then_the_rate(void **state)
{
    struct ramp ramp;
    ramp_init(&ramp, 1000, 5000);
    assert_int_equal(let_in(&ramp, 5000), 100);
    assert_int_equal(let_in(&ramp, 5001), 1);
    assert_int_equal(let_in(&ramp, 5011), 10);
    int count = 0;
    for (uint64_t ms = 5012; ms <= 6011; ms++)
        count += let_in(&ramp, ms);
    assert_int_equal(count, 1000);
}

static void credit_is_bounded_however_long_nobody_came(void **state)
{
    struct ramp ramp;
    ramp_init(&ramp, 1000000, 0);
    assert_int_equal(let_in(&ramp, 0), 100000);
    assert_int_equal(let_in(&ramp, UINT64_C(1) << 40), 100000);
    ramp_init(&ramp, 7, 0);
    assert_int_equal(let_in(&ramp, UINT64_MAX), 1);
}

static void a_slow_rate_loses_no_fraction(void **state)
{
    struct ramp ramp;
    ramp_init(&ramp, 3, 0);
    int count = let_in(&ramp, 0);
    for (uint64_t ms = 1; ms <= 10000; ms++)
        count += let_in(&ramp, ms);
    assert_in_range(count, 30, 31);
}

static void without_a_rate_everybody_gets_in(void **state)
{
    struct ramp ramp;
    ramp_init(&ramp, 0, 0);
    assert_int_equal(let_in(&ramp, 0), 1000000);
}

static void a_clock_that_stands_or_returns_gives_nothing(void **state)
{
    struct ramp ramp;
    ramp_init(&ramp, 1000, 1000);
    assert_int_equal(let_in(&ramp, 1000), 100);
    assert_int_equal(let_in(&ramp, 10), 0);
    assert_int_equal(let_in(&ramp, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenth_of_a_second_at_once_then_the_rate),
        cmocka_unit_test(credit_is_bounded_however_long_nobody_came),
        cmocka_unit_test(a_slow_rate_loses_no_fraction),
        cmocka_unit_test(without_a_rate_everybody_gets_in),
        cmocka_unit_test(a_clock_that_stands_or_returns_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
