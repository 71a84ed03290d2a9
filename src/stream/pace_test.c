#include "stream/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/delivery.h"

#define MS NS_PER_MS

static const uint64_t ORIGIN_NS = 5 * NS_PER_SECOND;

static struct pace pace_at(uint64_t now_ns, uint32_t phase_frames)
{
    struct pace pace = {.origin_ns = ORIGIN_NS, .lead.frames = 10 * FRAME_RATE, .delivery_frames = CHUNK_FRAMES,
                        .phase_frames = phase_frames};
    pace_start(&pace, now_ns, true);
    return pace;
}

static void ten_at_once_then_twice_real_time(void **state)
{
    struct pace single = {.delivery_frames = CHUNK_FRAMES}, five = {.delivery_frames = DELIVERY_MOST_FRAMES};
    for (uint64_t k = 0; k < 10; k++)
        assert_int_equal(pace_delay_ns(&single, k) + pace_delay_ns(&five, k), 0);
    assert_int_equal(pace_delay_ns(&single, 10), 50 * MS);
    assert_int_equal(pace_delay_ns(&single, 11), 100 * MS);
    assert_int_equal(pace_delay_ns(&single, 109), 5000 * MS);
    for (uint64_t k = 10; k < 110; k++)
        assert_int_equal(pace_delay_ns(&five, k), (k / 5 - 1) * 250 * MS);
}

static void a_run_begins_at_the_chunk_that_is_heard(void **state)
{
    struct pace pace = {.origin_ns = ORIGIN_NS};
    assert_int_equal(pace_start(&pace, ORIGIN_NS + 1299 * MS, true), 12 * CHUNK_FRAMES);
    assert_int_equal(pace_start(&pace, ORIGIN_NS + 1300 * MS, true), 13 * CHUNK_FRAMES);
    assert_int_equal(pace_start(&pace, ORIGIN_NS - 1, true), 0);
    assert_int_equal(pace_start(&pace, ORIGIN_NS + 1299 * MS, false), 13 * CHUNK_FRAMES);
}

static void due_time_is_frame_less_lead_plus_phase(void **state)
{
    struct pace pace = pace_at(ORIGIN_NS + 20 * NS_PER_SECOND, 2400);
    assert_int_equal(pace_due_ns(&pace, 30 * FRAME_RATE), ORIGIN_NS + 20 * NS_PER_SECOND + 50 * MS);
    assert_int_equal(pace_due_ns(&pace, 0), 0);
}

static void what_has_been_played_is_told_from_frame_0_on(void **state)
{
    struct pace pace = {.origin_ns = ORIGIN_NS, .phase_frames = 480};
    assert_int_equal(pace_played_ns(&pace, 0, ORIGIN_NS), -(int64_t)(10 * MS));
    assert_int_equal(pace_played_ns(&pace, 0, ORIGIN_NS + 10 * MS), 0);
    assert_int_equal(pace_played_ns(&pace, CHUNK_FRAMES, ORIGIN_NS + 210 * MS), 100 * MS);
}

static void an_origin_before_the_clock_began_is_only_a_difference(void **state)
{
    struct pace pace = {.origin_ns = -(uint64_t)(3600 * NS_PER_SECOND), .lead.frames = 10 * FRAME_RATE,
                        .delivery_frames = CHUNK_FRAMES};
    assert_int_equal(pace_live_frame(&pace, 2 * NS_PER_SECOND), UINT64_C(3602) * FRAME_RATE);
    assert_int_equal(pace_start(&pace, 2 * NS_PER_SECOND, true), UINT64_C(3602) * FRAME_RATE);
    assert_int_equal(pace_due_ns(&pace, UINT64_C(3622) * FRAME_RATE), 12 * NS_PER_SECOND);
    assert_int_equal(pace_due_ns(&pace, UINT64_C(3602) * FRAME_RATE), 0);
}

static void what_was_due_long_ago_goes_at_the_pace(void **state)
{
    uint64_t now = ORIGIN_NS + 20 * NS_PER_SECOND;
    struct pace pace = pace_at(now, 0);
    uint64_t first = pace.start_frame;
    assert_int_equal(pace_send_ns(&pace, first), now);
    assert_int_equal(pace_send_ns(&pace, first + 9 * CHUNK_FRAMES), now);
    assert_int_equal(pace_send_ns(&pace, first + 10 * CHUNK_FRAMES), now + 50 * MS);
    assert_int_equal(pace_send_ns(&pace, first + 20 * CHUNK_FRAMES), now + 550 * MS);
}

// With 10 s of lead and phase 0: chunk k is due at k * 100 - 10,000 ms after joining and allowed at (k - 9) * 50 ms;
// they meet at k = 191.
static void the_burst_ends_where_due_times_overtake_it(void **state)
{
    uint64_t now = ORIGIN_NS + 20 * NS_PER_SECOND;
    struct pace pace = pace_at(now, 0);
    uint64_t until = pace_burst_until(&pace);
    assert_int_equal(until, pace.start_frame + 191 * CHUNK_FRAMES);
    for (uint64_t frame = pace.start_frame; frame < until + 100 * CHUNK_FRAMES; frame += CHUNK_FRAMES) {
        uint64_t send = pace_send_ns(&pace, frame), due = pace_due_ns(&pace, frame);
        assert_true(frame < until ? send > due : send == due);
    }
}

static void a_short_lead_has_a_short_burst(void **state)
{
    struct pace pace = {.origin_ns = ORIGIN_NS, .lead.frames = FRAME_RATE, .delivery_frames = CHUNK_FRAMES,
                        .phase_frames = 4799};
    pace_start(&pace, ORIGIN_NS + 20 * NS_PER_SECOND + 1, true);
    // Its due times lie between 1 s before and nearly a chunk after what is heard: ten were due before joining.
    assert_int_equal(pace_burst_until(&pace), pace.start_frame + 10 * CHUNK_FRAMES);
    pace.lead.frames = 0;
    assert_int_equal(pace_burst_until(&pace), pace.start_frame);
}

// Behind by five seconds: a second at once, then one every 50 ms until the due times are met. What is owed stays owed.
static void who_fell_behind_catches_up_at_the_pace(void **state)
{
    uint64_t now = ORIGIN_NS + 60 * NS_PER_SECOND;
    struct pace pace = pace_at(ORIGIN_NS + 20 * NS_PER_SECOND, 0);
    uint64_t owed = pace_owed_until(&pace, now);
    assert_int_equal(owed, 70 * FRAME_RATE + CHUNK_FRAMES);
    uint64_t frame = owed - 50 * CHUNK_FRAMES;
    pace_catch_up(&pace, now, frame, true);
    assert_int_equal(pace_owed_until(&pace, now), owed);
    for (uint64_t k = 0; k < 10; k++)
        assert_int_equal(pace_send_ns(&pace, frame + k * CHUNK_FRAMES), now);
    for (uint64_t k = 10; k < 150; k++) {
        uint64_t at = frame + k * CHUNK_FRAMES, due = pace_due_ns(&pace, at);
        assert_int_equal(pace_send_ns(&pace, at), k < 90 ? now + (k - 9) * PACE_STEP_NS : due);
    }
    pace_catch_up(&pace, now, frame, false);
    assert_int_equal(pace_send_ns(&pace, frame), now);
    assert_int_equal(pace_send_ns(&pace, frame + CHUNK_FRAMES), now + PACE_STEP_NS);
    pace_start(&pace, now, true);
    assert_int_equal(pace.catch_up_ns, 0);
}

static void a_run_owes_no_more_than_its_burst(void **state)
{
    uint64_t now = ORIGIN_NS + 20 * NS_PER_SECOND;
    struct pace pace = pace_at(now, 0);
    assert_int_equal(pace_owed_until(&pace, now), pace.start_frame + 10 * CHUNK_FRAMES);
    assert_int_equal(pace_owed_until(&pace, now + PACE_STEP_NS), pace.start_frame + 11 * CHUNK_FRAMES);
    for (uint64_t at = now; at < now + 30 * NS_PER_SECOND; at += 7 * NS_PER_MS) {
        uint64_t owed = pace_owed_until(&pace, at);
        assert_true(pace_send_ns(&pace, owed) > at && pace_send_ns(&pace, owed - CHUNK_FRAMES) <= at);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// Whatever number of listeners: the largest hole between neighbouring phases is less than three times the mean.
static void phases_are_spread_evenly(void **state)
{
    enum { MOST = 1000 };
    uint32_t phases[MOST + 1];
    struct pace pace;
    for (int count = 2; count <= MOST; count = count * 3 / 2 + 1) {
        for (int n = 0; n < count; n++) {
            pace_deliver(&pace, 12345 + (uint32_t)n, DELIVERY_MOST_FRAMES);
            assert_in_range(phases[n] = pace.phase_frames, 0, DELIVERY_MOST_FRAMES - 1);
        }
        qsort(phases, (size_t)count, sizeof *phases, compare);
        phases[count] = phases[0] + DELIVERY_MOST_FRAMES;
        for (int n = 0; n < count; n++)
            assert_true(phases[n + 1] - phases[n] <= 3u * DELIVERY_MOST_FRAMES / (uint32_t)count + 1);
    }
}

// With 10 s of lead all five of a delivery are due when its first is.
static void a_delivery_is_due_as_one(void **state)
{
    uint64_t now = ORIGIN_NS + 20 * NS_PER_SECOND;
    struct pace pace = pace_at(now, 2400);
    pace.delivery_frames = DELIVERY_MOST_FRAMES;
    for (uint64_t k = 0; k < 5; k++)
        assert_int_equal(pace_due_ns(&pace, 30 * FRAME_RATE + k * CHUNK_FRAMES), now + 50 * MS);
    assert_int_equal(pace_due_ns(&pace, 30 * FRAME_RATE + 5 * CHUNK_FRAMES), now + 550 * MS);
    lead_move(&pace.lead, 9 * FRAME_RATE, 31 * FRAME_RATE + 2 * CHUNK_FRAMES);
    assert_int_equal(pace_due_ns(&pace, 31 * FRAME_RATE + 4 * CHUNK_FRAMES), now + 1050 * MS);
    assert_int_equal(pace_due_ns(&pace, 31 * FRAME_RATE + 5 * CHUNK_FRAMES), now + 1750 * MS);
}

// Wherever a run begins: before burst_until something is sent later than it is due, from there on all is when its
// delivery is, and what is owed is what has been sent.
static void a_burst_ends_with_a_whole_delivery(void **state)
{
    for (uint64_t begin_ms = 20000; begin_ms < 21000; begin_ms += 50) {
        uint64_t now = ORIGIN_NS + begin_ms * MS;
        struct pace pace = pace_at(now, (uint32_t)(begin_ms * 7 % DELIVERY_MOST_FRAMES));
        pace.delivery_frames = DELIVERY_MOST_FRAMES;
        uint64_t until = pace_burst_until(&pace), frame = pace.start_frame;
        assert_int_equal(until % DELIVERY_MOST_FRAMES, 0);
        assert_true(pace_send_ns(&pace, until - CHUNK_FRAMES) > pace_due_ns(&pace, until - CHUNK_FRAMES));
        for (; frame < until + 20 * CHUNK_FRAMES; frame += CHUNK_FRAMES) {
            assert_true(pace_send_ns(&pace, frame) <= pace_send_ns(&pace, frame + CHUNK_FRAMES));
            assert_true(frame < until || pace_send_ns(&pace, frame) == pace_due_ns(&pace, frame));
        }
        for (uint64_t at = now; at < now + 30 * NS_PER_SECOND; at += 7 * MS) {
            uint64_t owed = pace_owed_until(&pace, at);
            assert_true(pace_send_ns(&pace, owed) > at && pace_send_ns(&pace, owed - CHUNK_FRAMES) <= at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_at_once_then_twice_real_time),
        cmocka_unit_test(a_run_begins_at_the_chunk_that_is_heard),
        cmocka_unit_test(due_time_is_frame_less_lead_plus_phase),
        cmocka_unit_test(what_has_been_played_is_told_from_frame_0_on),
        cmocka_unit_test(an_origin_before_the_clock_began_is_only_a_difference),
        cmocka_unit_test(what_was_due_long_ago_goes_at_the_pace),
        cmocka_unit_test(the_burst_ends_where_due_times_overtake_it),
        cmocka_unit_test(a_short_lead_has_a_short_burst),
        cmocka_unit_test(who_fell_behind_catches_up_at_the_pace),
        cmocka_unit_test(a_run_owes_no_more_than_its_burst),
        cmocka_unit_test(phases_are_spread_evenly),
        cmocka_unit_test(a_delivery_is_due_as_one),
        cmocka_unit_test(a_burst_ends_with_a_whole_delivery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
