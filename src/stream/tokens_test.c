#include "stream/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"

static int take(struct tokens *tokens, uint64_t now_ns, int tries)
{
    uint64_t at_ns;
    int taken = 0;
    for (int i = 0; i < tries; i++)
        taken += tokens_take(tokens, now_ns, &at_ns);
    return taken;
}

static void it_holds_its_capacity_and_no_more(void **state)
{
    struct tokens tokens = tokens_full(15, 10, NS_PER_SECOND);
    assert_int_equal(take(&tokens, NS_PER_SECOND, 100), 15);
    assert_int_equal(take(&tokens, 2 * NS_PER_SECOND, 100), 10);
    assert_int_equal(take(&tokens, 3600 * NS_PER_SECOND, 100), 15);
}

static void it_tells_when_the_next_one_comes(void **state)
{
    struct tokens tokens = tokens_full(15, 10, NS_PER_SECOND);
    uint64_t at_ns = 0, unused;
    take(&tokens, NS_PER_SECOND, 15);
    assert_false(tokens_take(&tokens, NS_PER_SECOND + 30 * NS_PER_MS, &at_ns));
    assert_in_range(at_ns, NS_PER_SECOND + 100 * NS_PER_MS, NS_PER_SECOND + 100 * NS_PER_MS + 2);
    assert_false(tokens_take(&tokens, at_ns - 10, &unused));
    assert_true(tokens_take(&tokens, at_ns, &unused));
}

// One a period for an hour, each up to 40 ms late: never refused.
static void its_own_rate_is_never_refused(void **state)
{
    struct tokens tokens = tokens_full(15, 10, 0);
    for (uint64_t i = 0; i < 36000; i++)
        assert_int_equal(take(&tokens, i * 100 * NS_PER_MS + i % 5 * 10 * NS_PER_MS, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_its_capacity_and_no_more),
        cmocka_unit_test(it_tells_when_the_next_one_comes),
        cmocka_unit_test(its_own_rate_is_never_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
