#include "stream/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

enum { ENTRIES = 10000 };

struct item {
    struct schedule_entry entry;
    uint64_t wanted_ns;
    int popped;
};

static struct schedule *new_schedule(uint64_t now_ns)
{
    struct schedule *schedule = malloc(sizeof *schedule);
    assert_non_null(schedule);
    schedule_init(schedule, now_ns);
    return schedule;
}

static void nothing_scheduled_is_never_due(void **state)
{
    struct schedule *schedule = new_schedule(5);
    assert_null(schedule_pop(schedule, 100 * NS_PER_SECOND));
    assert_true(schedule_next_ns(schedule) == UINT64_MAX);
    free(schedule);
}

static void an_entry_comes_out_within_a_millisecond_and_never_early(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item item = {0};
    uint64_t at = schedule_set(schedule, &item.entry, 0, 10 * NS_PER_MS + 1);
    assert_int_equal(at, 11 * NS_PER_MS);
    assert_int_equal(schedule_next_ns(schedule), 11 * NS_PER_MS);
    assert_null(schedule_pop(schedule, 10 * NS_PER_MS + 1));
    assert_null(schedule_pop(schedule, 11 * NS_PER_MS - 1));
    assert_ptr_equal(schedule_pop(schedule, 11 * NS_PER_MS), &item.entry);
    assert_null(schedule_pop(schedule, 11 * NS_PER_MS));
    assert_int_equal(schedule->count, 0);
    free(schedule);
}

static void an_exact_millisecond_is_kept(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item item = {0};
    schedule_set(schedule, &item.entry, 0, 10 * NS_PER_MS);
    assert_null(schedule_pop(schedule, 10 * NS_PER_MS - 1));
    assert_ptr_equal(schedule_pop(schedule, 10 * NS_PER_MS), &item.entry);
    free(schedule);
}

static void what_is_out_of_reach_waits_for_its_time(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item item = {0};
    uint64_t due = 7 * NS_PER_SECOND;
    schedule_set(schedule, &item.entry, 0, due);
    for (uint64_t now = 0; now < due; now += 333 * NS_PER_MS)
        assert_null(schedule_pop(schedule, now));
    assert_true(schedule_next_ns(schedule) <= due);
    assert_ptr_equal(schedule_pop(schedule, due), &item.entry);
    free(schedule);
}

static void a_moved_or_removed_entry_forgets_its_old_time(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item a = {0}, b = {0};
    schedule_set(schedule, &a.entry, 0, 5 * NS_PER_MS);
    schedule_set(schedule, &b.entry, 0, 5 * NS_PER_MS);
    schedule_set(schedule, &a.entry, 0, 50 * NS_PER_MS);
    schedule_remove(schedule, &b.entry);
    schedule_remove(schedule, &b.entry);
    assert_int_equal(schedule->count, 1);
    assert_int_equal(schedule_next_ns(schedule), 50 * NS_PER_MS);
    assert_null(schedule_pop(schedule, 49 * NS_PER_MS));
    assert_ptr_equal(schedule_pop(schedule, 50 * NS_PER_MS), &a.entry);
    free(schedule);
}

static void an_entry_set_while_popping_waits_for_the_next_round(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item item = {0};
    uint64_t now = 20 * NS_PER_MS;
    schedule_set(schedule, &item.entry, 0, now);
    assert_ptr_equal(schedule_pop(schedule, now), &item.entry);
    uint64_t at = schedule_set(schedule, &item.entry, now, now);
    assert_true(at > now);
    assert_null(schedule_pop(schedule, now));
    assert_ptr_equal(schedule_pop(schedule, at), &item.entry);
    free(schedule);
}

static void an_entry_popped_by_its_neighbour_may_be_removed(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item a = {0}, b = {0};
    schedule_set(schedule, &a.entry, 0, NS_PER_MS);
    schedule_set(schedule, &b.entry, 0, NS_PER_MS);
    assert_ptr_equal(schedule_pop(schedule, NS_PER_MS), &a.entry);
    schedule_remove(schedule, &b.entry);
    assert_null(schedule_pop(schedule, NS_PER_MS));
    assert_true(schedule_next_ns(schedule) == UINT64_MAX);
    free(schedule);
}

static void a_long_sleep_loses_nothing(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item items[3] = {0};
    schedule_set(schedule, &items[0].entry, 0, 100 * NS_PER_MS);
    schedule_set(schedule, &items[1].entry, 0, 900 * NS_PER_MS);
    uint64_t now = 3600 * NS_PER_SECOND;
    assert_ptr_equal(schedule_pop(schedule, now), &items[0].entry);
    assert_ptr_equal(schedule_pop(schedule, now), &items[1].entry);
    assert_null(schedule_pop(schedule, now));
    uint64_t at = schedule_set(schedule, &items[2].entry, now, now + 30 * NS_PER_MS);
    assert_int_equal(at, now + 30 * NS_PER_MS);
    free(schedule);
}

static void an_idle_wheel_starts_where_time_is(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item item = {0};
    uint64_t now = 50 * NS_PER_SECOND;
    assert_int_equal(schedule_set(schedule, &item.entry, now, now + 100 * NS_PER_MS), now + 100 * NS_PER_MS);
    free(schedule);
}

// Ten thousand entries with all kinds of due times, moved about: each comes out once, in order, never early.
static void ten_thousand_come_out_in_order(void **state)
{
    struct schedule *schedule = new_schedule(0);
    struct item *items = calloc(ENTRIES, sizeof *items);
    for (int i = 0; i < ENTRIES; i++)
        schedule_set(schedule, &items[i].entry, 0, random_below(1, 1, (uint64_t)i, 2000000000));
    for (int i = 0; i < ENTRIES; i++) {
        items[i].wanted_ns = random_below(2, 2, (uint64_t)i, 3000000000u);
        schedule_set(schedule, &items[i].entry, 0, items[i].wanted_ns);
    }
    int count = 0;
    for (uint64_t now = 0; now <= 3001 * NS_PER_MS; now += 700 * 1000) {
        struct schedule_entry *entry;
        while ((entry = schedule_pop(schedule, now))) {
            struct item *item = (struct item *)entry;
            assert_true(item->wanted_ns <= now);
            assert_true(now - item->wanted_ns < 2 * NS_PER_MS);
            assert_int_equal(item->popped++, 0);
            count++;
        }
    }
    assert_int_equal(count, ENTRIES);
    assert_int_equal(schedule->count, 0);
    free(items);
    free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_scheduled_is_never_due),
        cmocka_unit_test(an_entry_comes_out_within_a_millisecond_and_never_early),
        cmocka_unit_test(an_exact_millisecond_is_kept),
        cmocka_unit_test(what_is_out_of_reach_waits_for_its_time),
        cmocka_unit_test(a_moved_or_removed_entry_forgets_its_old_time),
        cmocka_unit_test(an_entry_set_while_popping_waits_for_the_next_round),
        cmocka_unit_test(an_entry_popped_by_its_neighbour_may_be_removed),
        cmocka_unit_test(a_long_sleep_loses_nothing),
        cmocka_unit_test(an_idle_wheel_starts_where_time_is),
        cmocka_unit_test(ten_thousand_come_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
