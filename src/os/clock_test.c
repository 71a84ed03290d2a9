#include "os/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "base/frames.h"

static void test_virtual_clock_stands_until_moved(void **state)
{
    struct clock clock;
    clock_init_virtual(&clock, 5000, INT64_C(1700000000000000000));
    assert_true(clock_now_ns(&clock) == 5000);
    assert_true(clock_unix_ns(&clock) == INT64_C(1700000000000000000));
    clock_advance(&clock, 250);
    assert_true(clock_now_ns(&clock) == 5250);
    assert_true(clock_unix_ns(&clock) == INT64_C(1700000000000000250));
    assert_true(clock_delay_ns(&clock, 6000) == 0);
}

static uint64_t boot_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void test_real_clock_is_the_systems(void **state)
{
    struct clock clock;
    clock_init(&clock, 1);
    uint64_t before = boot_ns(), now = clock_now_ns(&clock), after = boot_ns();
    assert_true(before <= now && now <= after);
    int64_t apart = clock_unix_ns(&clock) - (int64_t)time(NULL) * (int64_t)NS_PER_SECOND;
    assert_true(apart > -(int64_t)NS_PER_SECOND && apart < 60 * (int64_t)NS_PER_SECOND);
}

static void test_real_clock_says_how_long_to_sleep(void **state)
{
    struct clock clock;
    clock_init(&clock, 1);
    uint64_t now = clock_now_ns(&clock);
    assert_true(clock_delay_ns(&clock, now) == 0);
    assert_true(clock_delay_ns(&clock, 0) == 0);
    uint64_t delay = clock_delay_ns(&clock, now + 3600 * NS_PER_SECOND);
    assert_true(delay > 3500 * NS_PER_SECOND && delay <= 3600 * NS_PER_SECOND);
}

static void test_scaled_clock_runs_faster(void **state)
{
    struct clock clock;
    clock_init(&clock, 100);
    uint64_t start = clock_now_ns(&clock), real = boot_ns();
    uint64_t delay = clock_delay_ns(&clock, start + 360000 * NS_PER_SECOND);
    assert_true(delay > 3500 * NS_PER_SECOND && delay <= 3600 * NS_PER_SECOND);
    while (boot_ns() - real < 2 * NS_PER_MS) {
    }
    assert_true(clock_now_ns(&clock) - start >= 190 * NS_PER_MS);
}

// A thread that sleeps exactly as long as it is told must find that the moment has come, so 0 means "it has passed".
static void test_delay_is_rounded_up(void **state)
{
    struct clock clock;
    clock_init(&clock, 1000);
    for (int i = 0; i < 1000; i++) {
        uint64_t at = clock_now_ns(&clock) + 1500 + (uint64_t)i;
        while (clock_delay_ns(&clock, at) > 0) {
        }
        assert_true(clock_now_ns(&clock) >= at);
    }
    clock_init(&clock, .01);
    assert_true(clock_delay_ns(&clock, UINT64_MAX) == UINT64_C(1) << 62);
}

static void test_time_never_runs_backwards(void **state)
{
    const double speeds[] = {.1, 1, 7.3, 1000};
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        struct clock clock;
        clock_init(&clock, speeds[i]);
        uint64_t last = 0;
        for (int n = 0; n < 10000; n++) {
            uint64_t now = clock_now_ns(&clock);
            assert_true(now >= last);
            last = now;
        }
    }
}

static void test_cpu_time_counts_work(void **state)
{
    uint64_t process = clock_process_cpu_ns(), thread = clock_thread_cpu_ns();
    while (clock_thread_cpu_ns() - thread < 2 * NS_PER_MS) {
    }
    assert_true(clock_process_cpu_ns() - process >= NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtual_clock_stands_until_moved),
        cmocka_unit_test(test_real_clock_is_the_systems),
        cmocka_unit_test(test_real_clock_says_how_long_to_sleep),
        cmocka_unit_test(test_scaled_clock_runs_faster),
        cmocka_unit_test(test_delay_is_rounded_up),
        cmocka_unit_test(test_time_never_runs_backwards),
        cmocka_unit_test(test_cpu_time_counts_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
