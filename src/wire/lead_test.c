#include "wire/lead.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include "base/frames.h"

enum { CHUNK = CHUNK_FRAMES };

static void a_lead_that_stands_is_the_same_everywhere(void **state)
{
    struct lead lead = {.frames = 480000};
    assert_int_equal(lead_at(&lead, 0), 480000);
    assert_int_equal(lead_at(&lead, UINT64_C(1) << 60), 480000);
}

static void it_moves_by_half_a_chunk_with_each_chunk(void **state)
{
    struct lead lead = {.frames = 48000};
    lead_move(&lead, 40000, 10 * CHUNK);
    static const uint64_t down[] = {48000, 45600, 43200, 40800, 40000, 40000};
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(lead_at(&lead, (9 + i) * CHUNK), down[i]);
    assert_int_equal(lead_at(&lead, 0), 48000);
    lead_move(&lead, 48000, 100 * CHUNK);
    static const uint64_t up[] = {40000, 42400, 44800, 47200, 48000, 48000};
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(lead_at(&lead, (99 + i) * CHUNK), up[i]);
}

static void it_turns_where_it_is(void **state)
{
    struct lead lead = {.frames = 480000};
    lead_move(&lead, 96000, 0);
    assert_int_equal(lead_at(&lead, 9 * CHUNK), 456000);
    lead_move(&lead, 480000, 10 * CHUNK);
    assert_int_equal(lead_at(&lead, 9 * CHUNK), 456000);
    assert_int_equal(lead_at(&lead, 10 * CHUNK), 458400);
    assert_int_equal(lead_at(&lead, 19 * CHUNK), 480000);
    assert_int_equal(lead_at(&lead, UINT64_C(1) << 62), 480000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lead_that_stands_is_the_same_everywhere),
        cmocka_unit_test(it_moves_by_half_a_chunk_with_each_chunk),
        cmocka_unit_test(it_turns_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
