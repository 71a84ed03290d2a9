#include "app/capacity.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

static void a_high_limit_gives_what_was_wished(void **state)
{
    struct capacity capacity = capacity_of(1 << 20, 2, 12000);
    assert_int_equal(capacity.listeners, 12000);
    assert_int_equal(capacity.door_sockets, 2048);
}

static void all_descriptors_together_stay_within_the_limit(void **state)
{
    for (uint64_t limit = capacity_least_descriptors(4); limit < 30000; limit += 7) {
        struct capacity capacity = capacity_of(limit, 4, 12000);
        assert_in_range(capacity.listeners, 1, 12000);
        assert_in_range(capacity.door_sockets, 16, 2048);
        assert_true((uint64_t)capacity.listeners + (uint64_t)capacity.door_sockets + 80 <= limit);
    }
}

static void the_usual_limit_is_used_well(void **state)
{
    assert_in_range(capacity_of(1024, 2, 12000).listeners, 800, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_high_limit_gives_what_was_wished),
        cmocka_unit_test(all_descriptors_together_stay_within_the_limit),
        cmocka_unit_test(the_usual_limit_is_used_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
