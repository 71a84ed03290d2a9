#include "stream/phases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"

enum { LISTENERS = 5000 };

// Looks at each listener once per period, as a loop does. Returns how many were moved.
static int look_round(struct phases *phases, uint32_t *places, int count, uint64_t *now_ns)
{
    int moved = 0;
    for (int i = 0; i < count; i++) {
        moved += phases_move(phases, places[i], DELIVERY_MOST_FRAMES, *now_ns, &places[i]);
        *now_ns += 100 * NS_PER_MS / (uint64_t)count;
    }
    return moved;
}

static int fullest(const struct phases *phases)
{
    int most = 0;
    for (int i = 0; i < PHASES_SLOTS; i++)
        most = phases->counts[i] > most ? phases->counts[i] : most;
    return most;
}

static void who_comes_is_spread_and_stays(void **state)
{
    struct phases phases = {0};
    uint32_t places[LISTENERS];
    uint64_t now_ns = NS_PER_SECOND;
    struct pace pace;
    for (uint32_t i = 0; i < LISTENERS; i++) {
        pace_deliver(&pace, i, DELIVERY_MOST_FRAMES);
        phases_add(&phases, places[i] = pace.phase_frames, DELIVERY_MOST_FRAMES);
    }
    for (int period = 0; period < 20; period++)
        assert_int_equal(look_round(&phases, places, LISTENERS, &now_ns), 0);
}

static void a_few_together_stay(void **state)
{
    struct phases phases = {0};
    uint32_t places[4] = {100, 101, 102, 103};
    uint64_t now_ns = NS_PER_SECOND;
    for (int i = 0; i < 4; i++)
        phases_add(&phases, places[i], DELIVERY_MOST_FRAMES);
    assert_int_equal(look_round(&phases, places, 4, &now_ns), 0);
}

// Everybody goes but those of one slot. They are moved one by one, not more than one in 100 ms, until no slot is a
// crowd.
static void a_crowd_that_was_left_is_spread(void **state)
{
    struct phases phases = {0};
    uint32_t places[200];
    uint64_t now_ns = NS_PER_SECOND;
    int moved = 0, periods = 0;
    for (uint32_t i = 0; i < 200; i++)
        phases_add(&phases, places[i] = 3 * PHASES_SLOT_FRAMES + i, DELIVERY_MOST_FRAMES);
    for (int last = 1; last > 0; periods++) {
        last = look_round(&phases, places, 200, &now_ns);
        assert_true(last <= 1);
        moved += last;
    }
    assert_true(fullest(&phases) <= 2 * 200 / PHASES_SLOTS + 4);
    assert_true(moved < 200 && moved >= 200 - (2 * 200 / PHASES_SLOTS + 4));
    assert_int_equal(phases.count, 200);
    for (int i = 0; i < 200; i++)
        phases_remove(&phases, places[i], DELIVERY_MOST_FRAMES);
    assert_int_equal(phases.count + fullest(&phases), 0);
}

// Who gets each chunk by itself counts in all five chunk periods, and moves within one.
static void shorter_deliveries_count_as_often_as_they_come(void **state)
{
    struct phases phases = {0};
    uint32_t to;
    for (int i = 0; i < 200; i++)
        phases_add(&phases, 240, CHUNK_FRAMES);
    assert_int_equal(phases.count, 1000);
    for (int i = 0; i < PHASES_SLOTS; i++)
        assert_int_equal(phases.counts[i], i % 20 == 1 ? 200 : 0);
    assert_true(phases_move(&phases, 240, CHUNK_FRAMES, NS_PER_SECOND, &to));
    assert_int_equal(to, 0);
    assert_int_equal(phases.count, 1000);
    // Into no crowd that waits later in the delivery, and out of one.
    for (int i = 0; i < 300; i++)
        phases_add(&phases, 3 * CHUNK_FRAMES, DELIVERY_MOST_FRAMES);
    assert_true(phases_move(&phases, 240, CHUNK_FRAMES, 2 * NS_PER_SECOND, &to));
    assert_int_equal(to, 480);
    phases_remove(&phases, to, CHUNK_FRAMES);
    phases_add(&phases, 240, CHUNK_FRAMES);
    assert_true(phases_move(&phases, 0, CHUNK_FRAMES, 3 * NS_PER_SECOND, &to));
    for (int i = 0; i < 300; i++)
        phases_remove(&phases, 3 * CHUNK_FRAMES, DELIVERY_MOST_FRAMES);
    phases_remove(&phases, to, CHUNK_FRAMES);
    for (int i = 0; i < 199; i++)
        phases_remove(&phases, 240, CHUNK_FRAMES);
    assert_int_equal(phases.count + fullest(&phases), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_is_spread_and_stays),
        cmocka_unit_test(a_few_together_stay),
        cmocka_unit_test(a_crowd_that_was_left_is_spread),
        cmocka_unit_test(shorter_deliveries_count_as_often_as_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
