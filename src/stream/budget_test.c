#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "stream/budget.h"

#define NOW_NS (UINT64_C(50) * NS_PER_SECOND)

enum { RATE = 1000 };

static void what_may_go_at_once_goes_at_once(void **state)
{
    struct budget budget;
    struct budget_entry entries[BUDGET_AT_ONCE / 10 + 1] = {0};
    budget_init(&budget, RATE);
    assert_true(budget_next_ns(&budget) == UINT64_MAX);
    for (int i = 0; i < BUDGET_AT_ONCE / 10; i++)
        assert_true(budget_take(&budget, &entries[i], 1, 10, NOW_NS));
    struct budget_entry *last = &entries[BUDGET_AT_ONCE / 10];
    assert_false(budget_take(&budget, last, 1, 10, NOW_NS));
    assert_int_equal(budget_next_ns(&budget), NOW_NS + 10 * NS_PER_MS);
    assert_null(budget_pop(&budget, NOW_NS + 10 * NS_PER_MS - 1));
    assert_ptr_equal(budget_pop(&budget, NOW_NS + 10 * NS_PER_MS), last);
    assert_true(budget_next_ns(&budget) == UINT64_MAX);
}

static void no_more_than_the_rate_goes_in_the_long_run(void **state)
{
    struct budget budget;
    struct budget_entry entry = {0};
    uint64_t now = NOW_NS;
    int chunks = 0;
    budget_init(&budget, RATE);
    for (; now < NOW_NS + 10 * NS_PER_SECOND; now += 300 * NS_PER_MS / 1000)
        if (budget_take(&budget, &entry, 1, 1, now) || budget_pop(&budget, now))
            chunks++;
    assert_in_range(chunks, 10 * RATE, 10 * RATE + BUDGET_AT_ONCE);
}

static void who_returns_then_who_comes_then_debts_then_who_has_least(void **state)
{
    struct budget budget;
    struct budget_entry drain = {0}, refills[3] = {0}, debt = {0}, comes[2] = {0}, returns = {0};
    budget_init(&budget, RATE);
    assert_true(budget_take(&budget, &drain, 0, BUDGET_AT_ONCE, NOW_NS));
    assert_false(budget_take(&budget, &refills[0], budget_rank(BUDGET_REFILLS, 8 * NS_PER_SECOND), 1, NOW_NS));
    assert_false(budget_take(&budget, &refills[1], budget_rank(BUDGET_REFILLS, 2 * NS_PER_SECOND), 1, NOW_NS));
    assert_false(budget_take(&budget, &refills[2], budget_rank(BUDGET_REFILLS, -1), 1, NOW_NS));
    assert_false(budget_take(&budget, &debt, budget_rank(BUDGET_DEBTS, 9 * NS_PER_SECOND), 1, NOW_NS));
    assert_false(budget_take(&budget, &comes[0], budget_rank(BUDGET_COMES, 0), 10, NOW_NS));
    assert_false(budget_take(&budget, &comes[1], budget_rank(BUDGET_COMES, 0), 10, NOW_NS));
    assert_false(budget_take(&budget, &returns, budget_rank(BUDGET_RETURNS, 0), 10, NOW_NS));
    struct budget_entry *const order[] = {&returns, &comes[0], &comes[1], &debt, &refills[2], &refills[1],
                                          &refills[0]};
    for (size_t i = 0; i < 7; i++)
        assert_ptr_equal(budget_pop(&budget, NOW_NS + NS_PER_SECOND), order[i]);
    assert_null(budget_pop(&budget, NOW_NS + NS_PER_SECOND));
}

// Whoever waits for ten is not overtaken by those who need but one.
static void nobody_is_overtaken(void **state)
{
    struct budget budget;
    struct budget_entry drain = {0}, comes = {0}, refill = {0};
    budget_init(&budget, RATE);
    assert_true(budget_take(&budget, &drain, 0, BUDGET_AT_ONCE, NOW_NS));
    assert_false(budget_take(&budget, &comes, BUDGET_COMES, 10, NOW_NS));
    assert_false(budget_take(&budget, &refill, BUDGET_REFILLS, 1, NOW_NS + 9 * NS_PER_MS));
    assert_null(budget_pop(&budget, NOW_NS + 9 * NS_PER_MS));
    assert_ptr_equal(budget_pop(&budget, NOW_NS + 10 * NS_PER_MS), &comes);
    assert_null(budget_pop(&budget, NOW_NS + 10 * NS_PER_MS));
    assert_ptr_equal(budget_pop(&budget, NOW_NS + 11 * NS_PER_MS), &refill);
}

static void ranks_change_and_entries_go(void **state)
{
    struct budget budget;
    struct budget_entry drain = {0}, one = {0}, other = {0};
    budget_init(&budget, RATE);
    assert_true(budget_take(&budget, &drain, 0, BUDGET_AT_ONCE, NOW_NS));
    assert_false(budget_take(&budget, &one, 10, 1, NOW_NS));
    assert_false(budget_take(&budget, &other, 5, 1, NOW_NS));
    assert_false(budget_take(&budget, &one, 4, 1, NOW_NS));
    assert_ptr_equal(budget_pop(&budget, NOW_NS + NS_PER_MS), &one);
    budget_remove(&budget, &other);
    budget_remove(&budget, &other);
    assert_null(budget_pop(&budget, NOW_NS + NS_PER_SECOND));
    assert_true(budget_next_ns(&budget) == UINT64_MAX);
    assert_int_equal(budget_rank(BUDGET_REFILLS, INT64_MAX), BUDGET_RANKS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_go_at_once_goes_at_once),
        cmocka_unit_test(no_more_than_the_rate_goes_in_the_long_run),
        cmocka_unit_test(who_returns_then_who_comes_then_debts_then_who_has_least),
        cmocka_unit_test(nobody_is_overtaken),
        cmocka_unit_test(ranks_change_and_entries_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
