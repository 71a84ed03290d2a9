#include "client/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static const struct tally_window open_end = {.from_ns = INT64_MIN, .end_ns = INT64_MAX};
static struct client_report report;
static struct tally tally;

// A v2 listener that begins at frame 48,000, with a burst of ten chunks; the first steady one is due at 2,000 ms.
static int set_up(void **state)
{
    memset(&report, 0, sizeof report);
    histogram_init(&report.lateness);
    histogram_init(&report.jitter);
    histogram_init(&report.start_up);
    tally_begin(&tally, 4800, 40 * MS);
    tally_place(&tally, 48000, 96000);
    return 0;
}

static int64_t due_ns(int index)
{
    return (1000 + 100 * index) * MS;
}

// Chunk number `index` of the connection, `late_ms` after its due time.
static void chunk(int index, int late_ms, struct tally_window window)
{
    struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)index, .burst = index < 10,
                             .due_ns = due_ns(index), .arrival_ns = due_ns(index) + late_ms * MS};
    tally_chunk(&tally, &c, &window, &report);
}

static void run(int from, int to, int late_ms)
{
    for (int i = from; i < to; i++)
        chunk(i, late_ms, open_end);
}

static void finish(int64_t end_ns)
{
    tally_finish(&tally, INT64_MAX, &(struct tally_window){INT64_MIN, end_ns}, &report);
}

static uint64_t within(const struct histogram *histogram, int ms)
{
    return histogram_count_within(histogram, (uint64_t)(ms * MS));
}

static void a_burst_counts_apart(void **state)
{
    run(0, 10, -900);
    run(10, 30, 3);
    finish(due_ns(29) + 50 * MS);
    assert_int_equal(report.burst_chunks, 10);
    assert_int_equal(report.chunks_received, 20);
    assert_int_equal(report.chunks_expected, 20);
    assert_int_equal(report.early, 0);
    assert_int_equal(report.lateness.count, 20);
    assert_int_equal(report.jitter.count, 19);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.silent, 0);
    assert_int_equal(report.start_up.count, 1);
    assert_int_equal(report.start_up.max_ns, 60 * MS);
}

static void lateness_and_jitter_are_told_apart(void **state)
{
    run(0, 10, 0);
    run(10, 20, 30);
    chunk(20, 75, open_end);
    chunk(21, 30, open_end);
    assert_int_equal(within(&report.lateness, 20), 0);
    assert_int_equal(within(&report.lateness, 50), 11);
    assert_int_equal(report.lateness.max_ns, 75 * MS);
    assert_int_equal(within(&report.jitter, 1), 9);
    assert_int_equal(report.jitter.max_ns, 45 * MS);
    assert_int_equal(report.jitter.count, 11);
}

static void early_by_more_than_100_ms_is_wrong(void **state)
{
    run(0, 10, 0);
    chunk(10, -100, open_end);
    chunk(11, -101, open_end);
    assert_int_equal(report.early, 1);
    assert_int_equal(report.lateness.count, 1);
    assert_int_equal(report.chunks_received, 2);
    assert_int_equal(report.lateness.max_ns, 0);
}

static void holes_are_gaps_and_missing_from_what_was_received(void **state)
{
    run(0, 15, 0);
    run(17, 20, 0);
    run(21, 30, 0);
    finish(due_ns(29));
    assert_int_equal(report.gaps, 2);
    assert_int_equal(report.gap_frames, 3 * 4800);
    assert_int_equal(report.chunks_expected, 20);
    assert_int_equal(report.chunks_received, 17);
}

static void a_late_beginning_is_a_gap(void **state)
{
    run(1, 12, 0);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_frames, 4800);
}

static void a_hole_at_the_first_steady_chunk_is_expected_all_the_same(void **state)
{
    run(0, 10, 0);
    run(12, 20, 0);
    finish(due_ns(19));
    assert_int_equal(report.chunks_expected, 10);
    assert_int_equal(report.chunks_received, 8);
}

static void what_is_due_after_the_end_does_not_count(void **state)
{
    int64_t end_ns = due_ns(19) + 99 * MS;
    for (int i = 0; i < 25; i++)
        chunk(i, 5, (struct tally_window){INT64_MIN, end_ns});
    finish(end_ns);
    assert_int_equal(report.chunks_received, 10);
    assert_int_equal(report.chunks_expected, 10);
}

// Membership goes by position: a clock that is corrected between chunks changes lateness, not what was expected.
static void a_corrected_clock_loses_no_chunk(void **state)
{
    int64_t end_ns = due_ns(15);
    run(0, 12, 0);
    for (int i = 12; i < 18; i++) {
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .due_ns = due_ns(i) + 2 * MS,
                                 .arrival_ns = due_ns(i) + 3 * MS};
        tally_chunk(&tally, &c, &(struct tally_window){INT64_MIN, end_ns}, &report);
    }
    finish(end_ns);
    assert_int_equal(report.chunks_received, 6);
    assert_int_equal(report.chunks_expected, 6);
}

static void chunks_sent_again_are_told_apart(void **state)
{
    run(0, 20, 0);
    run(15, 25, 0);
    finish(due_ns(24));
    assert_int_equal(report.superseded, 5);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.chunks_expected, 15);
    assert_int_equal(report.chunks_received, 15);
}

static void a_listener_that_hears_nothing_is_silent(void **state)
{
    tally_finish(&tally, due_ns(10), &(struct tally_window){INT64_MIN, due_ns(14)}, &report);
    assert_int_equal(report.silent, 1);
    assert_int_equal(report.chunks_expected, 5);
    finish(due_ns(14));
    assert_int_equal(report.chunks_expected, 5);
}

static void a_skip_before_the_first_chunk_is_where_it_begins(void **state)
{
    tally_skip(&tally, 48000 + 2 * 4800, 96000 + 4800);
    for (int i = 2; i < 20; i++) {
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .due_ns = due_ns(i),
                                 .arrival_ns = due_ns(i)};
        c.burst = tally_is_burst(&tally, c.first_frame);
        tally_chunk(&tally, &c, &open_end, &report);
    }
    finish(due_ns(19));
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.burst_chunks, 9);
    assert_int_equal(report.chunks_expected, 9);
    assert_int_equal(report.chunks_received, 9);
}

static void a_skip_later_is_a_gap(void **state)
{
    run(0, 15, 0);
    tally_skip(&tally, 48000 + 18 * 4800, 48000 + 20 * 4800);
    for (int i = 18; i < 25; i++) {
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .due_ns = due_ns(i),
                                 .arrival_ns = due_ns(i)};
        c.burst = tally_is_burst(&tally, c.first_frame);
        tally_chunk(&tally, &c, &open_end, &report);
    }
    finish(due_ns(24));
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.burst_chunks, 12);
    assert_int_equal(report.chunks_expected, 15);
    assert_int_equal(report.chunks_received, 10);
}

static void sequence_numbers_move_by_one(void **state)
{
    tally_begin(&tally, 1, 0);
    tally_place(&tally, 7, 9);
    for (int i = 7; i < 20; i++) {
        struct client_chunk c = {.first_frame = (uint64_t)(i == 12 ? 13 : i), .burst = i < 9, .due_ns = due_ns(i),
                                 .arrival_ns = due_ns(i)};
        if (i != 13)
            tally_chunk(&tally, &c, &open_end, &report);
    }
    finish(due_ns(19));
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_frames, 1);
    assert_int_equal(report.burst_chunks, 2);
    assert_int_equal(report.chunks_expected, 11);
    assert_int_equal(report.chunks_received, 10);
}

static void a_crowds_own_arrival_is_not_timed(void **state)
{
    const struct tally_window window = {.from_ns = due_ns(15) - 30 * MS, .end_ns = due_ns(24)};
    for (int i = 0; i < 25; i++)
        if (i != 12)
            chunk(i, i < 15 ? 70 : 5, window);
    tally_finish(&tally, INT64_MAX, &window, &report);
    assert_int_equal(report.chunks_expected, 10);
    assert_int_equal(report.chunks_received, 10);
    assert_int_equal(within(&report.lateness, 6), 10);
    assert_int_equal(report.gaps, 1);
}

// The lead falls by three chunks, half a chunk with each chunk: each comes 50 ms later than the one before it would
// have.
static void a_lead_that_falls_is_expected_later(void **state)
{
    for (int i = 0; i < 40; i++) {
        int64_t moved_ns = i < 20 ? 0 : i < 26 ? (i - 19) * 50 * MS : 300 * MS;
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .burst = i < 10, .moved_ns = moved_ns,
                                 .due_ns = due_ns(i) + moved_ns, .arrival_ns = due_ns(i) + moved_ns + MS};
        tally_chunk(&tally, &c, &open_end, &report);
    }
    finish(due_ns(39) + 300 * MS);
    assert_int_equal(report.chunks_expected, 30);
    assert_int_equal(report.chunks_received, 30);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(within(&report.lateness, 2), 30);
    assert_int_equal(within(&report.jitter, 1), 29);
}

// Five chunks are due at a time. Between two deliveries there is jitter, within one there is none, and what is expected
// comes in fives.
static void a_delivery_is_due_and_expected_as_one(void **state)
{
    tally_deliver(&tally, 5);
    for (int i = 0; i < 40; i++) {
        int first = i < 10 ? i : i - i % 5;
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .burst = i < 10, .due_ns = due_ns(first),
                                 .arrival_ns = due_ns(first) + (first == 20 ? 60 : 3) * MS};
        tally_chunk(&tally, &c, &(struct tally_window){due_ns(11), due_ns(34)}, &report);
    }
    tally_finish(&tally, INT64_MAX, &(struct tally_window){due_ns(11), due_ns(34)}, &report);
    assert_int_equal(report.chunks_expected, 20);
    assert_int_equal(report.chunks_received, 20);
    assert_int_equal(within(&report.lateness, 50), 15);
    assert_int_equal(report.jitter.count, 3);
    assert_int_equal(within(&report.jitter, 1), 1);
    assert_int_equal(report.gaps, 0);
}

// At chunk 30 everybody is told that all from chunk 22 on comes again, at twice real time until chunk 44. What came
// before is no gap, what comes again is not timed twice, and what is behind it is not expected at its time.
static void what_a_change_makes_another_is_excused(void **state)
{
    run(0, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 22, 48000 + 4800 * 44);
    for (int i = 22; i < 44; i++) {
        struct client_chunk c = {.first_frame = 48000 + 4800 * (uint64_t)i, .burst = true, .due_ns = due_ns(i),
                                 .arrival_ns = due_ns(30) + (i - 22) * 50 * MS};
        tally_chunk(&tally, &c, &open_end, &report);
    }
    run(44, 60, 3);
    finish(due_ns(59) + 50 * MS);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.superseded, 8);
    assert_int_equal(report.chunks_expected, 50 - 14);
    assert_int_equal(report.chunks_received, 50 - 14);
    assert_int_equal(report.early, 0);
}

// The run ends before all of it is there again.
static void what_had_not_come_again_by_the_end_is_excused(void **state)
{
    run(0, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 22, 48000 + 4800 * 44);
    finish(due_ns(35) + 50 * MS);
    assert_int_equal(report.chunks_expected, 20);
    assert_int_equal(report.chunks_received, 20);
}

// What comes first after such a word is where it begins again; if not, that is a gap.
static void a_hole_in_what_comes_again_is_a_gap(void **state)
{
    run(0, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 22, 48000 + 4800 * 44);
    struct client_chunk c = {.first_frame = 48000 + 4800 * 23, .burst = true, .due_ns = due_ns(23),
                             .arrival_ns = due_ns(30)};
    tally_chunk(&tally, &c, &open_end, &report);
    assert_int_equal(report.gaps, 1);
}

// Who falls behind in what comes again is told to skip: it hears that part as it was, and misses only what it never
// had.
static void what_is_skipped_of_what_comes_again_was_heard_before(void **state)
{
    run(0, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 22, 48000 + 4800 * 44);
    tally_skip(&tally, 48000 + 4800 * 26, 48000 + 4800 * 46);
    run(26, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 27, 48000 + 4800 * 44);
    tally_skip(&tally, 48000 + 4800 * 32, 48000 + 4800 * 50);
    run(32, 60, 3);
    finish(due_ns(59) + 50 * MS);
    assert_int_equal(report.outdated, 4 + 3);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_frames, 4800 * 2);
    assert_int_equal(report.last_gap, 48000 + 4800 * 32);
}

// Likewise who comes back so late that the server goes on behind what was to come again.
static void what_a_connection_took_with_it_of_what_comes_again_was_heard_before(void **state)
{
    run(0, 30, 3);
    tally_supersede(&tally, 48000 + 4800 * 22, 48000 + 4800 * 44);
    run(22, 24, 3);
    tally_resume(&tally, 48000 + 4800 * 28, 48000 + 4800 * 50);
    run(28, 40, 3);
    tally_resume(&tally, 48000 + 4800 * 40, 48000 + 4800 * 60);
    run(40, 45, 3);
    tally_resume(&tally, 48000 + 4800 * 47, 48000 + 4800 * 60);
    run(47, 60, 3);
    finish(due_ns(59) + 50 * MS);
    assert_int_equal(report.outdated, 4);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_frames, 4800 * 2);
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_skipped_of_what_comes_again_was_heard_before),
        CASE(what_a_connection_took_with_it_of_what_comes_again_was_heard_before),
        CASE(a_lead_that_falls_is_expected_later),
        CASE(a_delivery_is_due_and_expected_as_one),
        CASE(a_burst_counts_apart),
        CASE(a_crowds_own_arrival_is_not_timed),
        CASE(lateness_and_jitter_are_told_apart),
        CASE(early_by_more_than_100_ms_is_wrong),
        CASE(holes_are_gaps_and_missing_from_what_was_received),
        CASE(a_late_beginning_is_a_gap),
        CASE(a_hole_at_the_first_steady_chunk_is_expected_all_the_same),
        CASE(what_is_due_after_the_end_does_not_count),
        CASE(a_corrected_clock_loses_no_chunk),
        CASE(chunks_sent_again_are_told_apart),
        CASE(what_a_change_makes_another_is_excused),
        CASE(what_had_not_come_again_by_the_end_is_excused),
        CASE(a_hole_in_what_comes_again_is_a_gap),
        CASE(a_listener_that_hears_nothing_is_silent),
        CASE(a_skip_before_the_first_chunk_is_where_it_begins),
        CASE(a_skip_later_is_a_gap),
        CASE(sequence_numbers_move_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
