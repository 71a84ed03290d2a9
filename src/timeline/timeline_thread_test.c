// One writer, several readers: what a reader holds never changes under it, and no chunk is lost or given out twice.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "timeline/timeline.h"

enum { KEPT = 8, BYTES = 256, READERS = 3, CHUNKS = 20000 };

struct reader {
    struct timeline *timeline;
    atomic_bool *done;
    uint64_t damaged, chunks, events;
};

static bool chunk_is_whole(const struct chunk *chunk, uint64_t frame)
{
    if (chunk->first_frame != frame || chunk->generation != (uint32_t)(frame / CHUNK_FRAMES))
        return false;
    for (int i = 0; i < BYTES; i++)
        if (chunk->bytes[i] != (uint8_t)chunk->generation)
            return false;
    return true;
}

static void read_chunk(struct reader *reader)
{
    uint64_t frontier = timeline_frontier(reader->timeline, FORMAT_OPUS);
    if (frontier == 0)
        return;
    struct chunk *chunk = timeline_acquire(reader->timeline, FORMAT_OPUS, frontier - CHUNK_FRAMES);
    if (!chunk)
        return;
    reader->damaged += !chunk_is_whole(chunk, frontier - CHUNK_FRAMES);
    reader->chunks++;
    chunk_release(chunk);
}

static uint64_t read_event(struct reader *reader, uint64_t last)
{
    struct event_record record;
    uint64_t after = last;
    if (!timeline_event_after(reader->timeline, &after, &record))
        return last;
    reader->damaged += record.number <= last || record.at_frame != record.number * 10;
    reader->events++;
    return record.number;
}

static void *reader_run(void *argument)
{
    struct reader *reader = argument;
    uint64_t last = 0;
    for (bool done = false; !done;) {
        done = atomic_load(reader->done) && last == timeline_last_event(reader->timeline);
        timeline_join(reader->timeline, FORMAT_OPUS);
        read_chunk(reader);
        last = read_event(reader, last);
        timeline_leave(reader->timeline, FORMAT_OPUS);
    }
    return NULL;
}

static void write_all(struct timeline *timeline)
{
    for (uint32_t i = 0; i < CHUNKS; i++) {
        struct event_record record = {.kind = EVENT_RECORD_NOTE, .at_frame = (i + 1) * 10};
        timeline_publish_event(timeline, &record);
        struct chunk *chunk = timeline_chunk(timeline, FORMAT_OPUS);
        if (!chunk)
            continue;
        chunk->first_frame = (uint64_t)i * CHUNK_FRAMES;
        chunk->frame_count = CHUNK_FRAMES;
        chunk->generation = i;
        memset(chunk->bytes, (uint8_t)i, BYTES);
        timeline_publish(timeline, chunk, i / 100);
        if (i % 1000 == 500)
            timeline_clear(timeline, FORMAT_OPUS);
    }
}

static void count_raise(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void readers_see_whole_chunks(void **state)
{
    struct timeline_config config = {.chunks_kept = {[FORMAT_OPUS] = KEPT}, .chunk_bytes = {[FORMAT_OPUS] = BYTES}};
    struct timeline *timeline = timeline_create(&config);
    atomic_bool done = false;
    atomic_int raised = 0;
    timeline_on_demand(timeline, count_raise, &raised);
    pthread_t threads[READERS];
    struct reader readers[READERS] = {0};
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.timeline = timeline, .done = &done};
        assert_int_equal(pthread_create(&threads[i], NULL, reader_run, &readers[i]), 0);
    }
    write_all(timeline);
    atomic_store(&done, true);
    uint64_t chunks = 0;
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].damaged, 0);
        assert_true(readers[i].events > 0);
        chunks += readers[i].chunks;
    }
    assert_true(chunks > 0);
    assert_true(atomic_load(&raised) > 0);
    timeline_on_demand(timeline, NULL, NULL);
    assert_int_equal(timeline_readers(timeline, FORMAT_OPUS), 0);
    timeline_destroy(timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_see_whole_chunks)};
    return cmocka_run_group_tests_name("timeline_thread", tests, NULL, NULL);
}
