// A programme under a log in which everything moves: whoever begins at minute 5, 12 or 21, from a snapshot or from seed
// and log alone, gives what was given to those who had listened from the first frame on.
//
// usage: seek_test [MINUTES]   6 to 25, to the last of which it is compared; if not given ten seconds are compared at
//                              minute 5 and at minute 12
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "base/hash.h"
#include "restless.h"
#include "station/programme.h"

enum { MOST_MINUTES = 25, CHUNKS_A_MINUTE = 60 * FRAME_RATE / CHUNK_FRAMES, PLACES = 3, EVERY_S = 7 };

static const int places[PLACES] = {5, 12, 21};
static int chunks = 12 * CHUNKS_A_MINUTE + 100, compared = 100;

static uint64_t heard[MOST_MINUTES * CHUNKS_A_MINUTE];    // a hash of each chunk

static uint64_t frame_of_minute(int minute)
{
    return (uint64_t)minute * 60 * FRAME_RATE;
}

static struct programme *claim(void)
{
    struct programme *programme = aligned_alloc(64, programme_bytes());
    assert_non_null(programme);
    return programme;
}

static uint64_t next_chunk(struct programme *programme, const struct program *program)
{
    float chunk[CHUNK_FRAMES * CHANNELS];
    programme_render(programme, program, backend_best(), chunk, CHUNK_FRAMES);
    return hash_bytes(chunk, sizeof chunk);
}

// Chunks that differ from a place on.
static int different_from(struct programme *programme, const struct program *program, int minute)
{
    int different = 0, first = minute * CHUNKS_A_MINUTE;
    for (int i = first; i < first + compared && i < chunks; i++)
        different += next_chunk(programme, program) != heard[i];
    return different;
}

static void seek(struct programme *programme, const struct program *program, uint64_t frame)
{
    float chunk[CHUNK_FRAMES * CHANNELS];
    programme_start(programme, program, programme_begin_frame(program, frame));
    while (programme_frame(programme) < frame) {
        uint64_t left = frame - programme_frame(programme);
        programme_render(programme, program, backend_best(), chunk, left < CHUNK_FRAMES ? (int)left : CHUNK_FRAMES);
    }
}

static void any_place_is_as_if_heard_from_the_first_frame_on(void **state)
{
    struct mood_log log;
    struct programme *programme = claim(), *snapshots[PLACES] = {NULL};
    assert_int_equal(restless_log(&log, EVERY_S, MOST_MINUTES * 60), STATUS_OK);
    const struct program program = {.seed = 31, .log = &log};
    programme_start(programme, &program, 0);
    for (int i = 0; i < chunks; i++) {
        for (int n = 0; n < PLACES; n++)
            if (frame_of_minute(places[n]) == programme_frame(programme))
                memcpy(snapshots[n] = claim(), programme, programme_bytes());
        heard[i] = next_chunk(programme, &program);
    }
    for (int n = 0; n < PLACES && places[n] * CHUNKS_A_MINUTE < chunks; n++) {
        assert_int_equal(different_from(snapshots[n], &program, places[n]), 0);
        seek(programme, &program, frame_of_minute(places[n]));
        assert_int_equal(different_from(programme, &program, places[n]), 0);
        free(snapshots[n]);
    }
    // What differs is told: another seed is.
    const struct program other = {.seed = 32, .log = &log};
    seek(programme, &other, frame_of_minute(places[0]));
    assert_true(different_from(programme, &other, places[0]) > 0);
    mood_log_finish(&log);
    free(programme);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_place_is_as_if_heard_from_the_first_frame_on)};
    if (argc > 1) {
        int minutes = atoi(argv[1]);
        chunks = compared = (minutes < MOST_MINUTES ? minutes : MOST_MINUTES) * CHUNKS_A_MINUTE;
    }
    return cmocka_run_group_tests_name("seek", tests, NULL, NULL);
}
