#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/frames.h"
#include "timeline/timeline.h"

enum { KEPT = 4, BYTES = 100 };

static const struct timeline_config config = {
    .chunks_kept = {[FORMAT_OPUS] = KEPT, [FORMAT_PCM] = 2},
    .chunk_bytes = {[FORMAT_OPUS] = BYTES, [FORMAT_PCM] = BYTES},
};

static int setup(void **state)
{
    *state = timeline_create(&config);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    timeline_destroy(*state);
    return 0;
}

static uint64_t frame_of(int index)
{
    return (uint64_t)index * CHUNK_FRAMES;
}

static void publish(struct timeline *timeline, enum format format, int index, uint32_t generation)
{
    struct chunk *chunk = timeline_chunk(timeline, format);
    assert_non_null(chunk);
    chunk->first_frame = frame_of(index);
    chunk->frame_count = CHUNK_FRAMES;
    chunk->generation = generation;
    memset(chunk->bytes, index, BYTES);
    chunk->len = BYTES;
    timeline_publish(timeline, chunk, generation);
}

static bool is_there(struct timeline *timeline, enum format format, int index)
{
    struct chunk *chunk = timeline_acquire(timeline, format, frame_of(index));
    chunk_release(chunk);
    return chunk != NULL;
}

static void a_chunk_is_found_by_its_frame(void **state)
{
    struct timeline *timeline = *state;
    assert_false(is_there(timeline, FORMAT_OPUS, 0));
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), 0);
    publish(timeline, FORMAT_OPUS, 7, 3);
    struct chunk *chunk = timeline_acquire(timeline, FORMAT_OPUS, frame_of(7));
    assert_non_null(chunk);
    assert_int_equal(chunk->first_frame, frame_of(7));
    assert_int_equal(chunk->generation, 3);
    assert_int_equal(chunk->format, FORMAT_OPUS);
    assert_int_equal(chunk->bytes[BYTES - 1], 7);
    chunk_release(chunk);
    assert_false(is_there(timeline, FORMAT_OPUS, 7 + KEPT));
    assert_false(is_there(timeline, FORMAT_OPUS, 7 - KEPT));
    assert_false(is_there(timeline, FORMAT_PCM, 7));
    assert_null(timeline_acquire(timeline, FORMAT_OPUS, frame_of(7) + 960));
    assert_null(timeline_acquire(timeline, FORMAT_LEGACY, frame_of(7)));
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), frame_of(8));
}

static void the_oldest_falls_out(void **state)
{
    struct timeline *timeline = *state;
    for (int i = 0; i < 50; i++)
        publish(timeline, FORMAT_OPUS, i, 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(is_there(timeline, FORMAT_OPUS, i), i >= 50 - KEPT);
    publish(timeline, FORMAT_OPUS, 3, 0);
    assert_false(is_there(timeline, FORMAT_OPUS, 3));
    assert_true(is_there(timeline, FORMAT_OPUS, 47));
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), frame_of(50));
}

static void a_chunk_is_replaced(void **state)
{
    struct timeline *timeline = *state;
    publish(timeline, FORMAT_OPUS, 1, 1);
    publish(timeline, FORMAT_OPUS, 2, 1);
    struct chunk *old = timeline_acquire(timeline, FORMAT_OPUS, frame_of(1));
    publish(timeline, FORMAT_OPUS, 1, 1);
    struct chunk *now = timeline_acquire(timeline, FORMAT_OPUS, frame_of(1));
    assert_ptr_not_equal(old, now);
    chunk_release(old);
    chunk_release(now);
    assert_true(is_there(timeline, FORMAT_OPUS, 2));
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), frame_of(3));
}

static void count_call(void *context)
{
    ++*(int *)context;
}

// What knew less is gone from there on, in one moment; what comes before it and other formats stay.
static void a_splice_drops_what_comes_after_it(void **state)
{
    struct timeline *timeline = *state;
    int splices = 0;
    timeline_on_splice(timeline, count_call, &splices);
    for (int i = 0; i < KEPT; i++)
        publish(timeline, FORMAT_OPUS, i, 0);
    publish(timeline, FORMAT_PCM, 1, 0);
    publish(timeline, FORMAT_PCM, 2, 0);
    struct chunk *pinned = timeline_acquire(timeline, FORMAT_OPUS, frame_of(2));
    publish(timeline, FORMAT_OPUS, 1, 4);
    assert_int_equal(timeline_generation(timeline, FORMAT_OPUS), 4);
    assert_int_equal(timeline_generation(timeline, FORMAT_PCM), 0);
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), frame_of(2));
    for (int i = 0; i < KEPT; i++)
        assert_int_equal(is_there(timeline, FORMAT_OPUS, i), i < 2);
    assert_true(is_there(timeline, FORMAT_PCM, 2));
    assert_int_equal(pinned->bytes[0], 2);
    chunk_release(pinned);
    for (int i = 2; i < KEPT; i++)
        publish(timeline, FORMAT_OPUS, i, 4);
    assert_true(is_there(timeline, FORMAT_OPUS, 1) && is_there(timeline, FORMAT_OPUS, KEPT - 1));
    for (int i = KEPT; i < 4 * TIMELINE_SPLICE_CHUNKS; i++) {
        publish(timeline, FORMAT_OPUS, i, 4);
        assert_int_equal(splices, i >= TIMELINE_SPLICE_CHUNKS);
    }
    timeline_on_splice(timeline, NULL, NULL);
}

// A change that takes effect beyond what is there takes nothing back.
static void a_change_further_on_is_no_splice(void **state)
{
    struct timeline *timeline = *state;
    int splices = 0;
    timeline_on_splice(timeline, count_call, &splices);
    publish(timeline, FORMAT_OPUS, 0, 0);
    publish(timeline, FORMAT_OPUS, 1, 3);
    assert_int_equal(splices, 0);
    assert_int_equal(timeline_generation(timeline, FORMAT_OPUS), 3);
    assert_true(is_there(timeline, FORMAT_OPUS, 0));
    timeline_on_splice(timeline, NULL, NULL);
}

static void a_pinned_chunk_stays_whole(void **state)
{
    struct timeline *timeline = *state;
    publish(timeline, FORMAT_OPUS, 0, 9);
    struct chunk *pinned = timeline_acquire(timeline, FORMAT_OPUS, 0);
    for (int i = 1; i < 100; i++)
        publish(timeline, FORMAT_OPUS, i, 9);
    assert_int_equal(pinned->first_frame, 0);
    assert_int_equal(pinned->generation, 9);
    assert_int_equal(pinned->bytes[0], 0);
    chunk_release(pinned);
}

static void pinning_all_leaves_none(void **state)
{
    struct timeline *timeline = *state;
    struct chunk *held[64];
    uint32_t count = 0;
    while ((held[count] = timeline_chunk(timeline, FORMAT_OPUS)))
        count++;
    assert_int_equal(count, timeline_pool_chunks(KEPT));
    assert_non_null(held[count] = timeline_chunk(timeline, FORMAT_PCM));
    chunk_release(held[count]);
    chunk_retain(held[0]);
    chunk_release(held[0]);
    assert_null(timeline_chunk(timeline, FORMAT_OPUS));
    while (count > 0)
        chunk_release(held[--count]);
    publish(timeline, FORMAT_OPUS, 0, 0);
}

// Fewer are readable from the next one on; all are as soon as more are wanted again.
static void fewer_may_be_kept(void **state)
{
    struct timeline *timeline = *state;
    for (int i = 0; i < KEPT; i++)
        publish(timeline, FORMAT_OPUS, i, 0);
    struct chunk *pinned = timeline_acquire(timeline, FORMAT_OPUS, frame_of(KEPT - 1));
    timeline_keep(timeline, FORMAT_OPUS, 2);
    assert_true(is_there(timeline, FORMAT_OPUS, 0));
    publish(timeline, FORMAT_OPUS, KEPT, 0);
    for (int i = 0; i <= KEPT; i++)
        assert_int_equal(is_there(timeline, FORMAT_OPUS, i), i >= KEPT - 1);
    for (int i = KEPT + 1; i < 5 * KEPT; i++)
        publish(timeline, FORMAT_OPUS, i, 0);
    assert_int_equal(pinned->first_frame, frame_of(KEPT - 1));
    assert_int_equal(pinned->bytes[BYTES - 1], KEPT - 1);
    chunk_release(pinned);
    timeline_keep(timeline, FORMAT_OPUS, KEPT);
    for (int i = 5 * KEPT; i < 6 * KEPT; i++)
        publish(timeline, FORMAT_OPUS, i, 0);
    for (int i = 5 * KEPT; i < 6 * KEPT; i++) {
        struct chunk *chunk = timeline_acquire(timeline, FORMAT_OPUS, frame_of(i));
        assert_non_null(chunk);
        assert_int_equal(chunk->bytes[BYTES - 1], (uint8_t)i);
        chunk_release(chunk);
    }
}

static void clearing_drops_one_format(void **state)
{
    struct timeline *timeline = *state;
    publish(timeline, FORMAT_OPUS, 5, 0);
    publish(timeline, FORMAT_PCM, 5, 0);
    timeline_clear(timeline, FORMAT_OPUS);
    assert_false(is_there(timeline, FORMAT_OPUS, 5));
    assert_true(is_there(timeline, FORMAT_PCM, 5));
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), 0);
    publish(timeline, FORMAT_OPUS, 2, 0);
    assert_int_equal(timeline_frontier(timeline, FORMAT_OPUS), frame_of(3));
}

static void the_first_reader_raises_demand(void **state)
{
    struct timeline *timeline = *state;
    int calls = 0;
    timeline_on_demand(timeline, count_call, &calls);
    timeline_join(timeline, FORMAT_OPUS);
    assert_int_equal(calls, 1);
    timeline_join(timeline, FORMAT_OPUS);
    assert_int_equal(calls, 1);
    timeline_join(timeline, FORMAT_PCM);
    assert_int_equal(calls, 2);
    assert_int_equal(timeline_readers(timeline, FORMAT_OPUS), 2);
    timeline_leave(timeline, FORMAT_OPUS);
    timeline_leave(timeline, FORMAT_OPUS);
    assert_int_equal(timeline_readers(timeline, FORMAT_OPUS), 0);
    timeline_join(timeline, FORMAT_OPUS);
    assert_int_equal(calls, 3);
    timeline_on_demand(timeline, NULL, NULL);
    timeline_leave(timeline, FORMAT_OPUS);
    timeline_join(timeline, FORMAT_OPUS);
    assert_int_equal(calls, 3);
}

static void publish_event(struct timeline *timeline, enum event_record_kind kind, uint64_t at_frame)
{
    struct event_record record = {.kind = (uint8_t)kind, .at_frame = at_frame, .number = 77};
    timeline_publish_event(timeline, &record);
}

static bool event_after(struct timeline *timeline, uint64_t after, struct event_record *record)
{
    return timeline_event_after(timeline, &after, record);
}

static void events_are_numbered_and_walked(void **state)
{
    struct timeline *timeline = *state;
    struct event_record record;
    assert_false(event_after(timeline, 0, &record));
    for (uint64_t i = 1; i <= 3; i++)
        publish_event(timeline, EVENT_RECORD_NOTE, 100 * i);
    assert_int_equal(timeline_last_event(timeline), 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(event_after(timeline, i, &record));
        assert_int_equal(record.number, i + 1);
        assert_int_equal(record.at_frame, 100 * (i + 1));
    }
    assert_false(event_after(timeline, 3, &record));
    assert_false(event_after(timeline, 99, &record));
}

static void a_late_reader_gets_the_oldest_event(void **state)
{
    struct timeline *timeline = *state;
    struct event_record record;
    for (uint64_t i = 1; i <= TIMELINE_EVENTS + 10; i++)
        publish_event(timeline, EVENT_RECORD_NOTE, i);
    assert_true(event_after(timeline, 0, &record));
    assert_int_equal(record.number, 11);
    assert_true(event_after(timeline, 5, &record));
    assert_int_equal(record.number, 11);
    assert_true(event_after(timeline, 11, &record));
    assert_int_equal(record.number, 12);
    assert_true(event_after(timeline, TIMELINE_EVENTS + 9, &record));
    assert_int_equal(record.number, TIMELINE_EVENTS + 10);
}

static void the_event_in_force_is_found(void **state)
{
    struct timeline *timeline = *state;
    struct event_record record;
    assert_false(timeline_event_at(timeline, EVENT_RECORD_CHORD, 1000, &record));
    publish_event(timeline, EVENT_RECORD_CHORD, 100);
    publish_event(timeline, EVENT_RECORD_SECTION, 150);
    publish_event(timeline, EVENT_RECORD_CHORD, 200);
    publish_event(timeline, EVENT_RECORD_CHORD, 200);
    assert_false(timeline_event_at(timeline, EVENT_RECORD_CHORD, 99, &record));
    assert_true(timeline_event_at(timeline, EVENT_RECORD_CHORD, 199, &record));
    assert_int_equal(record.number, 1);
    assert_true(timeline_event_at(timeline, EVENT_RECORD_CHORD, 200, &record));
    assert_int_equal(record.number, 4);
    for (uint64_t i = 0; i < TIMELINE_EVENTS; i++)
        publish_event(timeline, EVENT_RECORD_NOTE, 300 + i);
    assert_true(timeline_event_at(timeline, EVENT_RECORD_SECTION, 5000, &record));
    assert_int_equal(record.number, 2);
}

// What was taken back is neither walked nor found, and whoever walks is past it for good.
static void events_are_taken_back(void **state)
{
    struct timeline *timeline = *state;
    struct event_record record;
    publish_event(timeline, EVENT_RECORD_CHORD, 100);
    publish_event(timeline, EVENT_RECORD_CHORD, 200);
    publish_event(timeline, EVENT_RECORD_NOTE, 250);
    timeline_drop_events(timeline, 200);
    uint64_t after = 1;
    assert_false(timeline_event_after(timeline, &after, &record));
    assert_int_equal(after, 3);
    assert_true(timeline_event_at(timeline, EVENT_RECORD_CHORD, 1000, &record));
    assert_int_equal(record.number, 1);
    publish_event(timeline, EVENT_RECORD_CHORD, 220);
    after = 1;
    assert_true(timeline_event_after(timeline, &after, &record));
    assert_int_equal(record.number, 4);
    assert_int_equal(after, 4);
    assert_true(timeline_event_at(timeline, EVENT_RECORD_CHORD, 1000, &record));
    assert_int_equal(record.number, 4);
}

static long page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

// All events are pages that were there from the start: a station does not grow while it plays.
static void memory_is_claimed_at_creation(void **state)
{
#ifdef __SANITIZE_THREAD__
    return;           // its shadow of a page comes with the first access
#endif
    malloc_trim(0);   // or it might be memory that another test has used
    struct timeline *timeline = timeline_create(&config);
    struct event_record record = {.kind = EVENT_RECORD_NOTE};
    timeline_publish_event(timeline, &record);
    long before = page_faults();
    for (int i = 0; i < TIMELINE_EVENTS; i++)
        timeline_publish_event(timeline, &record);
    long pages = (long)(TIMELINE_EVENTS * sizeof record / 4096);
    assert_in_range(page_faults() - before, 0, pages / 4);
    timeline_destroy(timeline);
}

static void bytes_cover_all_chunks(void **state)
{
    struct timeline *timeline = *state;
    size_t chunks = timeline_pool_chunks(KEPT) + timeline_pool_chunks(2);
    assert_in_range(timeline_bytes(timeline), chunks * (BYTES + sizeof(struct chunk)), 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chunk_is_found_by_its_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_falls_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chunk_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pinned_chunk_stays_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(pinning_all_leaves_none, setup, teardown),
        cmocka_unit_test_setup_teardown(fewer_may_be_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(clearing_drops_one_format, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_reader_raises_demand, setup, teardown),
        cmocka_unit_test_setup_teardown(events_are_numbered_and_walked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_reader_gets_the_oldest_event, setup, teardown),
        cmocka_unit_test_setup_teardown(the_event_in_force_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(events_are_taken_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_splice_drops_what_comes_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_further_on_is_no_splice, setup, teardown),
        cmocka_unit_test(memory_is_claimed_at_creation),
        cmocka_unit_test_setup_teardown(bytes_cover_all_chunks, setup, teardown),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
