#include "stream/joins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/frames.h"
#include "base/random.h"

enum { SAMPLES = FORMAT_LEGACY_FRAMES * CHANNELS, SAMPLES_BYTES = 2 * SAMPLES, FRAME = 7 * CHUNK_FRAMES };

struct fixture {
    struct joins joins;
    struct chunk_pool pool;
};

static void fixture_begin(struct fixture *fixture)
{
    assert_int_equal(joins_init(&fixture->joins), STATUS_OK);
    assert_int_equal(chunk_pool_init(&fixture->pool, 32, FORMAT_LEGACY_BASE64_BYTES), STATUS_OK);
}

static void fixture_end(struct fixture *fixture)
{
    joins_finish(&fixture->joins);
    chunk_pool_finish(&fixture->pool);
}

static int16_t sample_of(uint64_t frame, uint32_t generation, int i)
{
    return (int16_t)random_u64(frame, generation, (uint64_t)i);
}

// Noise that every frame and generation has another of.
static struct chunk *noise(struct fixture *fixture, uint64_t frame, uint32_t generation)
{
    uint8_t samples[SAMPLES_BYTES];
    struct chunk *chunk = chunk_pool_take(&fixture->pool);
    assert_non_null(chunk);
    for (int i = 0; i < SAMPLES; i++) {
        uint16_t value = (uint16_t)sample_of(frame, generation, i);
        samples[2 * i] = (uint8_t)value;
        samples[2 * i + 1] = (uint8_t)(value >> 8);
    }
    chunk->first_frame = frame;
    chunk->frame_count = CHUNK_FRAMES;
    chunk->generation = generation;
    chunk->format = FORMAT_LEGACY;
    chunk->len = FORMAT_LEGACY_BASE64_BYTES;
    base64_encode(samples, SAMPLES_BYTES, chunk->bytes);
    return chunk;
}

// The caller's to release.
static struct chunk *join(struct fixture *fixture, uint64_t frame, uint32_t from, uint32_t to)
{
    struct chunk *before = noise(fixture, frame, from), *after = noise(fixture, frame, to);
    struct chunk *chunk = joins_chunk(&fixture->joins, before, after);
    chunk_release(before);
    chunk_release(after);
    return chunk;
}

static void a_join_fades_from_one_to_the_other(void **state)
{
    struct fixture fixture;
    uint8_t bytes[SAMPLES_BYTES];
    fixture_begin(&fixture);
    struct chunk *chunk = join(&fixture, FRAME, 3, 4);
    assert_int_equal(chunk->first_frame, FRAME);
    assert_int_equal(chunk->frame_count, CHUNK_FRAMES);
    assert_int_equal(chunk->generation, 4);
    assert_int_equal(chunk->payload_offset, 0);
    assert_int_equal(base64_decode((const char *)chunk->bytes, chunk->len, bytes), SAMPLES_BYTES);
    for (int i = 0; i < SAMPLES; i++) {
        double share = (i / 2 + 0.5) / FORMAT_LEGACY_FRAMES;
        double wanted = (1 - share) * sample_of(FRAME, 3, i) + share * sample_of(FRAME, 4, i);
        assert_float_equal((int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8), wanted, 0.51);
    }
    chunk_release(chunk);
    fixture_end(&fixture);
}

static void it_is_made_once_for_all_who_need_the_same(void **state)
{
    struct fixture fixture;
    fixture_begin(&fixture);
    struct chunk *first = join(&fixture, FRAME, 3, 4), *again = join(&fixture, FRAME, 3, 4);
    struct chunk *others[] = {join(&fixture, FRAME + CHUNK_FRAMES, 3, 4), join(&fixture, FRAME, 2, 4),
                              join(&fixture, FRAME, 3, 5)};
    assert_ptr_equal(first, again);
    for (int i = 0; i < 3; i++) {
        assert_ptr_not_equal(others[i], first);
        chunk_release(others[i]);
    }
    chunk_release(first);
    chunk_release(again);
    fixture_end(&fixture);
}

static void there_is_none_while_all_are_on_their_way(void **state)
{
    struct fixture fixture;
    struct chunk *away[JOINS_CHUNKS];
    fixture_begin(&fixture);
    for (uint32_t i = 0; i < JOINS_CHUNKS; i++)
        assert_non_null(away[i] = join(&fixture, FRAME, i, i + 1));
    assert_null(join(&fixture, FRAME, JOINS_CHUNKS, JOINS_CHUNKS + 1));
    chunk_release(away[0]);
    assert_non_null(away[0] = join(&fixture, FRAME, JOINS_CHUNKS, JOINS_CHUNKS + 1));
    for (int i = 0; i < JOINS_CHUNKS; i++)
        chunk_release(away[i]);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_fades_from_one_to_the_other),
        cmocka_unit_test(it_is_made_once_for_all_who_need_the_same),
        cmocka_unit_test(there_is_none_while_all_are_on_their_way),
    };
    return cmocka_run_group_tests_name("joins", tests, NULL, NULL);
}
