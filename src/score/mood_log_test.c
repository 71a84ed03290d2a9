#include "score/mood_log.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct mood_log log_of_three(void)
{
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.bpm = 120;
    assert_int_equal(mood_log_append(&log, 3, 9600, &mood), STATUS_OK);
    mood.intensity = .9;
    assert_int_equal(mood_log_append(&log, 4, 9600, &mood), STATUS_OK);
    mood.bpm = 41;
    assert_int_equal(mood_log_append(&log, 9, 48000, &mood), STATUS_OK);
    return log;
}

static void the_last_entry_at_a_frame_is_in_force(void **state)
{
    struct mood_log log = log_of_three();
    assert_int_equal(mood_log_at(&log, 0)->sequence, 0);
    assert_int_equal(mood_log_at(&log, 9599)->sequence, 0);
    assert_int_equal(mood_log_at(&log, 9600)->sequence, 4);
    assert_int_equal(mood_log_at(&log, 47999)->sequence, 4);
    assert_int_equal(mood_log_at(&log, UINT64_C(1) << 50)->sequence, 9);
    assert_int_equal(mood_log_at(&log, 9600)->changed, 1u << MOOD_ID_intensity);
    assert_int_equal(mood_log_at(&log, 0)->changed, 0);
    mood_log_finish(&log);
}

static void beats_are_the_integral_of_the_tempo(void **state)
{
    struct mood_log log = log_of_three();
    uint64_t beats = 0;
    for (uint64_t frame = 0; frame < 60000; frame++) {
        if (frame % 97 == 0 || frame == 9600 || frame == 48000)
            assert_int_equal(mood_log_beats(&log, frame), beats);
        beats += frame < 9600 ? 70 : frame < 48000 ? 120 : 41;
    }
    mood_log_finish(&log);
}

static void frame_of_beats_is_the_first_frame(void **state)
{
    struct mood_log log = log_of_three();
    assert_int_equal(mood_log_frame_of_beats(&log, 0), 0);
    for (uint64_t beats = 1; beats < 6000000; beats += 7919) {
        uint64_t frame = mood_log_frame_of_beats(&log, beats);
        assert_true(mood_log_beats(&log, frame) >= beats);
        assert_true(mood_log_beats(&log, frame - 1) < beats);
    }
    for (uint64_t frame = 0; frame < 60000; frame += 13)
        assert_int_equal(mood_log_frame_of_beats(&log, mood_log_beats(&log, frame)), frame);
    mood_log_finish(&log);
}

static void a_log_never_runs_backwards(void **state)
{
    struct mood_log log = log_of_three();
    struct mood mood = mood_default();
    assert_int_equal(mood_log_append(&log, 9, 48000, &mood), STATUS_INVALID);
    assert_int_equal(mood_log_append(&log, 10, 47040, &mood), STATUS_INVALID);
    assert_int_equal(mood_log_append(&log, 10, 48001, &mood), STATUS_INVALID);
    assert_int_equal(log.count, 4);
    assert_int_equal(mood_log_append(&log, 10, 48000, &mood), STATUS_OK);
    mood_log_finish(&log);
}

static void it_grows(void **state)
{
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    for (uint64_t i = 1; i < 1000; i++) {
        mood.bpm = 40 + (int)(i % 80);
        assert_int_equal(mood_log_append(&log, i, i * 960, &mood), STATUS_OK);
    }
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(mood_log_at(&log, i * 960 + 959)->sequence, i);
    mood_log_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_entry_at_a_frame_is_in_force),
        cmocka_unit_test(beats_are_the_integral_of_the_tempo),
        cmocka_unit_test(frame_of_beats_is_the_first_frame),
        cmocka_unit_test(a_log_never_runs_backwards),
        cmocka_unit_test(it_grows),
    };
    return cmocka_run_group_tests_name("mood_log", tests, NULL, NULL);
}
