// The same sound however the work is cut: blocks, threads, SIMD levels.
#include "tools/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "base/hash.h"
#include "score/scene.h"
#include "station/programme.h"

static struct mood_log the_log;
static struct program program;

struct heard {
    uint64_t next_frame, hash, chunks, stop_at;
    float loudest;
};

static enum status hear(void *context, uint64_t first_frame, const float *chunk)
{
    struct heard *heard = context;
    assert_true(first_frame == heard->next_frame);
    uint64_t words[2] = {heard->hash, hash_bytes(chunk, CHUNK_FRAMES * CHANNELS * sizeof *chunk)};
    heard->hash = hash_bytes(words, sizeof words);
    heard->next_frame += CHUNK_FRAMES;
    for (int i = 0; i < CHUNK_FRAMES * CHANNELS; i++)
        heard->loudest = chunk[i] > heard->loudest ? chunk[i] : heard->loudest;
    return ++heard->chunks == heard->stop_at ? STATUS_IO : STATUS_OK;
}

static struct heard render(double from_s, double to_s, const struct backend *backend, int threads, int block)
{
    struct segments_job job = {.program = &program, .backend = backend, .first_frame = (uint64_t)(from_s * FRAME_RATE),
                               .end_frame = (uint64_t)(to_s * FRAME_RATE), .threads = threads, .block_frames = block};
    struct heard heard = {.next_frame = job.first_frame};
    assert_int_equal(segments_render(&job, hear, &heard), STATUS_OK);
    assert_true(heard.next_frame == job.end_frame);
    assert_true(heard.loudest > .001f);
    return heard;
}

static void blocks_make_no_difference(void **state)
{
    static const int blocks[] = {1, 17, 64, 480};
    uint64_t whole = render(5, 7, backend_best(), 1, 4800).hash;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        assert_true(render(5, 7, backend_best(), 1, blocks[i]).hash == whole);
}

static void simd_levels_make_no_difference(void **state)
{
    uint64_t best = render(5, 7, backend_best(), 1, 4800).hash;
    for (const struct backend *const *at = backend_list(); *at; at++)
        if ((*at)->available())
            assert_true(render(5, 7, *at, 1, 480).hash == best);
}

// Each scene has instruments and effects of its own.
static void no_scene_makes_a_difference(void **state)
{
    for (int i = 0; i < scene_count; i++) {
        struct mood mood = scene_mood(&scenes[i]);
        struct mood_log log;
        assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
        program.log = &log;
        uint64_t best = render(8, 9, backend_best(), 1, 4800).hash;
        int block = 64;
        for (const struct backend *const *at = backend_list(); *at; at++, block += 479)
            if ((*at)->available())
                assert_true(render(8, 9, *at, 1, block).hash == best);
        mood_log_finish(&log);
    }
    program.log = &the_log;
}

// Over the end of an epoch, where two chains fade into each other and the work is cut.
static void threads_make_no_difference(void **state)
{
    uint64_t one = render(595, 605, backend_best(), 1, 4800).hash;
    assert_true(render(595, 605, backend_best(), 4, 960).hash == one);
}

static void more_threads_than_segments_do_no_harm(void **state)
{
    assert_int_equal(render(1, 1.5, backend_best(), 16, 4800).chunks, 5);
}

static void the_seed_makes_a_difference(void **state)
{
    uint64_t before = render(5, 6, backend_best(), 1, 4800).hash;
    program.seed++;
    assert_true(render(5, 6, backend_best(), 1, 4800).hash != before);
    program.seed--;
}

static void a_sink_that_fails_ends_it(void **state)
{
    struct segments_job job = {.program = &program, .backend = backend_best(), .end_frame = 60 * FRAME_RATE,
                               .threads = 2, .block_frames = 4800};
    struct heard heard = {.stop_at = 3};
    assert_int_equal(segments_render(&job, hear, &heard), STATUS_IO);
    assert_int_equal(heard.chunks, 3);
}

static int set_up(void **state)
{
    struct mood mood = mood_default();
    program = (struct program){.seed = 3, .log = &the_log};
    return mood_log_init(&the_log, &mood) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    mood_log_finish(&the_log);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_make_no_difference),       cmocka_unit_test(simd_levels_make_no_difference),
        cmocka_unit_test(threads_make_no_difference),      cmocka_unit_test(more_threads_than_segments_do_no_harm),
        cmocka_unit_test(the_seed_makes_a_difference),     cmocka_unit_test(a_sink_that_fails_ends_it),
        cmocka_unit_test(no_scene_makes_a_difference),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
