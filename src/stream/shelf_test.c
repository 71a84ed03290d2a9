#include "stream/shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"

enum { KEPT = 200, CHUNKS = 100 };

static void publish_knowing(struct timeline *timeline, enum format format, uint64_t frame, uint32_t generation)
{
    struct chunk *chunk = timeline_chunk(timeline, format);
    assert_non_null(chunk);
    chunk->first_frame = frame;
    chunk->frame_count = CHUNK_FRAMES;
    timeline_publish(timeline, chunk, generation);
}

static void publish(struct timeline *timeline, enum format format, uint64_t frame)
{
    publish_knowing(timeline, format, frame, 0);
}

static struct timeline *two_formats(void)
{
    struct timeline *timeline = timeline_create(&(struct timeline_config){
        .chunks_kept = {[FORMAT_OPUS] = KEPT, [FORMAT_PCM] = KEPT},
        .chunk_bytes = {[FORMAT_OPUS] = 64, [FORMAT_PCM] = 64},
    });
    assert_non_null(timeline);
    for (uint64_t i = 0; i < CHUNKS; i++) {
        publish(timeline, FORMAT_OPUS, i * CHUNK_FRAMES);
        publish(timeline, FORMAT_PCM, i * CHUNK_FRAMES);
    }
    return timeline;
}

static int references(const struct chunk *chunk)
{
    return atomic_load(&chunk->references);
}

static void a_chunk_is_taken_once_and_given_back(void **state)
{
    struct shelf shelf = {0};
    struct timeline *timeline = two_formats();
    struct chunk *chunk = shelf_chunk(&shelf, timeline, FORMAT_OPUS, 3 * CHUNK_FRAMES);
    assert_int_equal(chunk->first_frame, 3 * CHUNK_FRAMES);
    assert_int_equal(references(chunk), 2);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(shelf_chunk(&shelf, timeline, FORMAT_OPUS, 3 * CHUNK_FRAMES), chunk);
    assert_int_equal(references(chunk), 2);
    shelf_clear(&shelf);
    assert_int_equal(references(chunk), 1);
    shelf_clear(&shelf);
    assert_int_equal(references(chunk), 1);
    timeline_destroy(timeline);
}

static void formats_and_stations_are_told_apart(void **state)
{
    struct shelf shelf = {0};
    struct timeline *one = two_formats(), *other = two_formats();
    struct chunk *opus = shelf_chunk(&shelf, one, FORMAT_OPUS, CHUNK_FRAMES);
    struct chunk *pcm = shelf_chunk(&shelf, one, FORMAT_PCM, CHUNK_FRAMES);
    struct chunk *elsewhere = shelf_chunk(&shelf, other, FORMAT_PCM, CHUNK_FRAMES);
    assert_int_equal(opus->format, FORMAT_OPUS);
    assert_int_equal(pcm->format, FORMAT_PCM);
    assert_ptr_not_equal(elsewhere, pcm);
    shelf_clear(&shelf);
    assert_int_equal(references(opus) + references(pcm) + references(elsewhere), 3);
    timeline_destroy(one);
    timeline_destroy(other);
}

static void a_row_stays_and_what_it_drives_out_is_given_back(void **state)
{
    struct shelf shelf = {0};
    struct timeline *timeline = two_formats();
    struct chunk *row[SHELF_CHUNKS];
    for (uint64_t i = 0; i < SHELF_CHUNKS; i++)
        row[i] = shelf_chunk(&shelf, timeline, FORMAT_OPUS, (i + 7) * CHUNK_FRAMES);
    for (int i = 0; i < SHELF_CHUNKS; i++)
        assert_int_equal(references(row[i]), 2);
    struct chunk *next = shelf_chunk(&shelf, timeline, FORMAT_OPUS, (SHELF_CHUNKS + 7) * CHUNK_FRAMES);
    assert_int_equal(references(row[0]), 1);
    assert_int_equal(references(next), 2);
    shelf_clear(&shelf);
    for (int i = 0; i < SHELF_CHUNKS; i++)
        assert_int_equal(references(row[i]), 1);
    timeline_destroy(timeline);
}

static void what_is_not_there_yet_is_asked_for_again(void **state)
{
    struct shelf shelf = {0};
    struct timeline *timeline = two_formats();
    assert_null(shelf_chunk(&shelf, timeline, FORMAT_OPUS, CHUNKS * CHUNK_FRAMES));
    publish(timeline, FORMAT_OPUS, CHUNKS * CHUNK_FRAMES);
    assert_non_null(shelf_chunk(&shelf, timeline, FORMAT_OPUS, CHUNKS * CHUNK_FRAMES));
    shelf_clear(&shelf);
    timeline_destroy(timeline);
}

// A splice comes in the middle of a turn: whoever is served after it gets what is there then.
static void what_a_splice_replaces_is_not_kept(void **state)
{
    struct shelf shelf = {0};
    struct timeline *timeline = two_formats();
    struct chunk *before = shelf_chunk(&shelf, timeline, FORMAT_OPUS, 50 * CHUNK_FRAMES);
    chunk_retain(before);
    publish_knowing(timeline, FORMAT_OPUS, 50 * CHUNK_FRAMES, 1);
    struct chunk *after = shelf_chunk(&shelf, timeline, FORMAT_OPUS, 50 * CHUNK_FRAMES);
    assert_ptr_not_equal(after, before);
    assert_null(shelf_chunk(&shelf, timeline, FORMAT_OPUS, 51 * CHUNK_FRAMES));
    assert_int_equal(references(before), 1);
    chunk_release(before);
    shelf_clear(&shelf);
    timeline_destroy(timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_is_taken_once_and_given_back),
        cmocka_unit_test(formats_and_stations_are_told_apart),
        cmocka_unit_test(a_row_stays_and_what_it_drives_out_is_given_back),
        cmocka_unit_test(what_is_not_there_yet_is_asked_for_again),
        cmocka_unit_test(what_a_splice_replaces_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
