#include "stream/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"

#define MINUTE (60 * NS_PER_SECOND)

static const struct admission_limits LIMITS = {.max_open = 5, .max_a_minute = {60, 10, 1200}};

static struct http_peer peer_of(uint64_t key)
{
    return (struct http_peer){.key = key};
}

static int attempts(struct admission *admission, uint64_t key, enum admission_kind kind, uint64_t now_ns, int tries)
{
    struct http_peer peer = peer_of(key);
    int retry_s, taken = 0;
    for (int i = 0; i < tries; i++)
        taken += admission_count(admission, &peer, kind, 1, now_ns, &retry_s);
    return taken;
}

static void attempts_are_counted_by_the_minute_and_kind(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 100);
    assert_int_equal(attempts(admission, 7, ADMISSION_LEGACY, 1000, 20), 10);
    assert_int_equal(attempts(admission, 7, ADMISSION_V2, 1000, 100), 60);
    assert_int_equal(attempts(admission, 8, ADMISSION_LEGACY, 1000, 20), 10);
    assert_int_equal(attempts(admission, 7, ADMISSION_LEGACY, 1000 + MINUTE - 1, 20), 0);
    assert_int_equal(attempts(admission, 7, ADMISSION_LEGACY, 1000 + MINUTE, 20), 10);
    admission_destroy(admission);
}

// All of what is asked for, or none of it.
static void more_than_one_is_counted_at_a_time(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 100);
    struct http_peer peer = peer_of(7);
    int retry_s;
    assert_true(admission_count(admission, &peer, ADMISSION_RANGES, 1000, 5, &retry_s));
    assert_false(admission_count(admission, &peer, ADMISSION_RANGES, 201, 5, &retry_s));
    assert_false(admission_count(admission, &peer, ADMISSION_RANGES, INT32_MAX, 5, &retry_s));
    assert_true(admission_count(admission, &peer, ADMISSION_RANGES, 200, 5, &retry_s));
    assert_false(admission_count(admission, &peer, ADMISSION_RANGES, 1, 5, &retry_s));
    assert_true(admission_count(admission, &peer, ADMISSION_RANGES, 1200, 5 + MINUTE, &retry_s));
    admission_destroy(admission);
}

static void who_is_refused_is_told_when_the_minute_ends(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 100);
    struct http_peer peer = peer_of(7);
    int retry_s = 0;
    uint64_t start = 123 * NS_PER_SECOND;
    assert_int_equal(attempts(admission, 7, ADMISSION_LEGACY, start, 10), 10);
    assert_false(admission_count(admission, &peer, ADMISSION_LEGACY, 1, start + 50 * NS_PER_SECOND + 1, &retry_s));
    assert_int_equal(retry_s, 10);
    admission_destroy(admission);
}

static void open_connections_are_counted_until_they_leave(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 100);
    struct http_peer here = peer_of(1), there = peer_of(2);
    for (int i = 0; i < 5; i++)
        assert_true(admission_enter(admission, &here));
    assert_false(admission_enter(admission, &here));
    assert_true(admission_enter(admission, &there));
    admission_leave(admission, &here);
    assert_true(admission_enter(admission, &here));
    assert_false(admission_enter(admission, &here));
    admission_destroy(admission);
}

static void loopback_is_exempt_unless_told_otherwise(void **state)
{
    struct http_peer peer = {.key = 1, .loopback = true};
    struct admission_limits limits = {.max_open = 1, .max_a_minute = {1, 1, 1}};
    int retry_s;
    struct admission *admission = admission_create(&limits, 100);
    for (int i = 0; i < 10; i++) {
        assert_true(admission_count(admission, &peer, ADMISSION_V2, 1, 5, &retry_s));
        assert_true(admission_enter(admission, &peer));
    }
    for (int i = 0; i < 10; i++)
        admission_leave(admission, &peer);
    admission_destroy(admission);
    limits.limit_loopback = true;
    admission = admission_create(&limits, 100);
    assert_true(admission_count(admission, &peer, ADMISSION_V2, 1, 5, &retry_s));
    assert_false(admission_count(admission, &peer, ADMISSION_V2, 1, 5, &retry_s));
    assert_true(admission_enter(admission, &peer));
    assert_false(admission_enter(admission, &peer));
    admission_destroy(admission);
}

static void zero_means_no_limit(void **state)
{
    struct admission *admission = admission_create(&(struct admission_limits){0}, 1);
    struct http_peer peer = peer_of(1);
    assert_int_equal(attempts(admission, 1, ADMISSION_V2, 1, 1000), 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(admission_enter(admission, &peer));
    for (int i = 0; i < 1000; i++)
        admission_leave(admission, &peer);
    admission_destroy(admission);
}

// A flood of addresses pushes out those that have nothing open, never those that have.
static void a_flood_of_addresses_forgets_only_idle_ones(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 10);
    struct http_peer kept = peer_of(1);
    for (int i = 0; i < 5; i++)
        assert_true(admission_enter(admission, &kept));
    assert_int_equal(attempts(admission, 2, ADMISSION_LEGACY, 1, 10), 10);
    for (uint64_t key = 1000; key < 101000; key++)
        assert_int_equal(attempts(admission, key, ADMISSION_LEGACY, 1, 1), 1);
    assert_false(admission_enter(admission, &kept));
    assert_int_equal(attempts(admission, 2, ADMISSION_LEGACY, 1, 1), 1);
    for (int i = 0; i < 5; i++)
        admission_leave(admission, &kept);
    assert_true(admission_enter(admission, &kept));
    admission_leave(admission, &kept);
    admission_destroy(admission);
}

// One that goes on trying is not forgotten for the sake of those who tried once.
static void who_keeps_trying_is_remembered(void **state)
{
    struct admission *admission = admission_create(&LIMITS, 10);
    assert_int_equal(attempts(admission, 2, ADMISSION_LEGACY, 1, 11), 10);
    for (uint64_t key = 1000; key < 21000; key++) {
        assert_int_equal(attempts(admission, key, ADMISSION_LEGACY, 1, 1), 1);
        if (key % 1000 == 0)
            assert_int_equal(attempts(admission, 2, ADMISSION_LEGACY, 1, 1), 0);
    }
    admission_destroy(admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_are_counted_by_the_minute_and_kind),
        cmocka_unit_test(more_than_one_is_counted_at_a_time),
        cmocka_unit_test(who_is_refused_is_told_when_the_minute_ends),
        cmocka_unit_test(open_connections_are_counted_until_they_leave),
        cmocka_unit_test(loopback_is_exempt_unless_told_otherwise),
        cmocka_unit_test(zero_means_no_limit),
        cmocka_unit_test(a_flood_of_addresses_forgets_only_idle_ones),
        cmocka_unit_test(who_keeps_trying_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
