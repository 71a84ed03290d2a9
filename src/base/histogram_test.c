#include "base/histogram.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"

static struct histogram shared;

static void test_empty(void **state)
{
    histogram_init(&shared);
    assert_true(histogram_quantile(&shared, .5) == 0);
    assert_true(histogram_count_within(&shared, UINT64_MAX) == 0);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_quantiles_are_upper_bounds_within_a_thirtysecond(void **state)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    histogram_init(&shared);
    for (uint64_t i = 0; i < COUNT; i++) {
        values[i] = random_u64(1, 1, i) >> (random_u64(1, 2, i) % 64);
        histogram_record(&shared, values[i]);
    }
    qsort(values, COUNT, sizeof *values, compare);
    for (int percent = 1; percent <= 100; percent++) {
        uint64_t exact = values[COUNT * percent / 100 - 1];
        uint64_t found = histogram_quantile(&shared, percent / 100.0);
        assert_true(found >= exact);
        assert_true(found - exact <= exact / 32);
    }
    assert_true(histogram_quantile(&shared, 1) == values[COUNT - 1]);
}

static void test_extremes_have_a_bucket(void **state)
{
    histogram_init(&shared);
    histogram_record(&shared, 0);
    histogram_record(&shared, UINT64_MAX);
    assert_true(histogram_quantile(&shared, .5) == 0);
    assert_true(histogram_quantile(&shared, 1) == UINT64_MAX);
    assert_true(histogram_count_within(&shared, 0) == 1);
    assert_true(histogram_count_within(&shared, UINT64_MAX) == 2);
}

static void test_count_within(void **state)
{
    histogram_init(&shared);
    for (uint64_t ns = 0; ns < 64; ns++)
        histogram_record(&shared, ns);
    histogram_record(&shared, 1000000);
    for (uint64_t ns = 0; ns < 64; ns++)
        assert_true(histogram_count_within(&shared, ns) == ns + 1);
    assert_true(histogram_count_within(&shared, 900000) == 64);
    assert_true(histogram_count_within(&shared, 1000000) == 65);
}

static void test_merge(void **state)
{
    static struct histogram other;
    histogram_init(&shared);
    histogram_init(&other);
    for (uint64_t i = 1; i <= 100; i++)
        histogram_record(i % 2 ? &shared : &other, i * 1000);
    histogram_merge(&shared, &other);
    assert_true(atomic_load(&shared.count) == 100);
    assert_true(atomic_load(&shared.sum_ns) == 5050000);
    assert_true(atomic_load(&shared.max_ns) == 100000);
    uint64_t median = histogram_quantile(&shared, .5);
    assert_true(median >= 50000 && median <= 50000 + 50000 / 32);
}

static void *record_many(void *argument)
{
    for (uint64_t i = 0; i < 50000; i++)
        histogram_record(&shared, i * 10 + (uint64_t)(uintptr_t)argument);
    return NULL;
}

static void test_threads_lose_nothing(void **state)
{
    pthread_t threads[3];
    histogram_init(&shared);
    for (uintptr_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, (void *)i), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&shared.count) == 150000);
    assert_true(histogram_count_within(&shared, UINT64_MAX) == 150000);
    assert_true(atomic_load(&shared.max_ns) == 499992);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_quantiles_are_upper_bounds_within_a_thirtysecond),
        cmocka_unit_test(test_extremes_have_a_bucket),
        cmocka_unit_test(test_count_within),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
