#include "score/mood_log.h"

#include <math.h>
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

static void what_was_never_in_force_is_passed_over(void **state)
{
    struct mood_log log = log_of_three();
    const struct mood_entry *entry = mood_log_next(&log, mood_log_at(&log, 0));
    assert_int_equal(entry->sequence, 4);
    entry = mood_log_next(&log, entry);
    assert_int_equal(entry->sequence, 9);
    assert_null(mood_log_next(&log, entry));
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
    uint64_t count = 2 * log.cap + 1;
    for (uint64_t i = 1; i < count; i++) {
        mood.bpm = 40 + (int)(i % 80);
        assert_int_equal(mood_log_append(&log, i, i * 960, &mood), STATUS_OK);
    }
    assert_true(log.count == count && log.cap >= count);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(mood_log_at(&log, i * 960 + 959)->sequence, i);
    mood_log_finish(&log);
}

static struct mood_log log_of_a_morph(void)
{
    struct mood_log log;
    struct mood mood = mood_default();
    mood.morph_seconds = 10;
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.scene = 1;
    mood.intensity = .9;
    mood.harmonic_density = .1;
    mood.bpm = 60;
    assert_int_equal(mood_log_append(&log, 1, 48000, &mood), STATUS_OK);
    return log;
}

// Of the first three scenes; of all together there is one.
static void assert_shares(const struct mood_log *log, uint64_t frame, double first, double second, double third)
{
    struct scene_shares shares = mood_log_shares(log, frame);
    const double expected[] = {first, second, third};
    double all = 0;
    for (int scene = 0; scene < scene_count; scene++) {
        double share = (double)shares.of[scene];
        assert_true(fabs(share - (scene < 3 ? expected[scene] : 0)) < 1e-6);
        all += share;
    }
    assert_true(fabs(all - 1) < 1e-6);
}

// 10 s from .5 to .9, and what does not glide is there at once.
static void a_scene_takes_its_time(void **state)
{
    struct mood_log log = log_of_a_morph();
    const uint64_t second = 48000;
    assert_true(mood_log_mood(&log, second - 1).intensity == .5);
    assert_true(mood_log_mood(&log, second).intensity == .5);
    assert_true(fabs(mood_log_mood(&log, 6 * second).intensity - .7) < 1e-9);
    assert_true(mood_log_mood(&log, 11 * second).intensity == .9);
    assert_int_equal(mood_log_mood(&log, second).bpm, 60);
    assert_true(mood_log_mood(&log, second).harmonic_density == .1);
    assert_shares(&log, 0, 1, 0, 0);
    assert_shares(&log, second, 1, 0, 0);
    assert_shares(&log, 6 * second, .5, .5, 0);
    assert_true(mood_log_shares(&log, 11 * second).of[1] == 1);
    mood_log_finish(&log);
}

// What is moved on the way moves at once; all else goes on as if nothing had happened.
static void a_touch_does_not_stop_a_morph(void **state)
{
    struct mood_log log = log_of_a_morph(), untouched = log_of_a_morph();
    const uint64_t second = 48000;
    struct mood mood = mood_log_at(&log, 3 * second)->mood;
    mood.space = .1;
    assert_int_equal(mood_log_append(&log, 2, 4 * second, &mood), STATUS_OK);
    for (uint64_t frame = 4 * second; frame < 12 * second; frame += 4801) {
        assert_true(mood_log_mood(&log, frame).space == .1);
        assert_true(fabs(mood_log_mood(&log, frame).intensity - mood_log_mood(&untouched, frame).intensity) < 1e-9);
        struct scene_shares shares = mood_log_shares(&log, frame), others = mood_log_shares(&untouched, frame);
        assert_memory_equal(&shares, &others, sizeof shares);
    }
    mood_log_finish(&log);
    mood_log_finish(&untouched);
}

// A second scene sets out from wherever the first had come to.
static void a_morph_begins_where_another_was(void **state)
{
    struct mood_log log = log_of_a_morph();
    const uint64_t second = 48000;
    struct mood mood = mood_log_at(&log, 3 * second)->mood;
    mood.scene = 2;
    mood.intensity = .1;
    assert_int_equal(mood_log_append(&log, 2, 8 * second, &mood), STATUS_OK);
    assert_true(fabs(mood_log_mood(&log, 8 * second).intensity - .78) < 1e-9);
    assert_true(fabs(mood_log_mood(&log, 13 * second).intensity - .44) < 1e-9);
    assert_shares(&log, 8 * second, .3, .7, 0);
    assert_shares(&log, 13 * second, .15, .35, .5);
    assert_shares(&log, 18 * second, 0, 0, 1);
    mood_log_finish(&log);
}

// Three seconds on the way, and then back.
static void a_morph_that_is_undone_goes_back(void **state)
{
    struct mood_log log = log_of_a_morph();
    const uint64_t second = 48000;
    struct mood mood = mood_log_at(&log, 0)->mood;
    assert_int_equal(mood_log_append(&log, 2, 4 * second, &mood), STATUS_OK);
    assert_shares(&log, 4 * second, .7, .3, 0);
    assert_shares(&log, 9 * second, .85, .15, 0);
    assert_shares(&log, 14 * second, 1, 0, 0);
    mood_log_finish(&log);
}

static enum status copy(struct mood_log *log, uint64_t sequence, uint64_t at_frame, uint64_t wake_frame)
{
    return mood_log_copy(log, &(struct mood_entry){.sequence = sequence, .at_frame = at_frame,
                                                   .wake_frame = wake_frame, .mood = mood_default()});
}

// A waking may lie before the frame of its entry, and holds from there on.
static void where_it_woke_last_is_found(void **state)
{
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    assert_int_equal(copy(&log, 1, 96000, 48000), STATUS_OK);
    assert_int_equal(mood_log_append(&log, 2, 96960, &mood), STATUS_OK);
    assert_int_equal(copy(&log, 3, 480000, 480000), STATUS_OK);
    assert_true(mood_log_woken(&log, 0) == 0);
    assert_true(mood_log_woken(&log, 47999) == 0);
    assert_true(mood_log_woken(&log, 48000) == 48000);
    assert_true(mood_log_woken(&log, 479999) == 48000);
    assert_true(mood_log_woken(&log, 480000) == 480000);
    assert_int_equal(copy(&log, 4, 480000, 479999 / 4800 * 4800), STATUS_INVALID);
    assert_int_equal(copy(&log, 4, 480000, 480960), STATUS_INVALID);
    assert_int_equal(log.count, 4);
    mood_log_finish(&log);
}

static void what_is_forgotten_changes_nothing_after_it(void **state)
{
    enum { COUNT = 3000 };
    struct mood mood = mood_default();
    struct mood_log log, kept;
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    assert_int_equal(mood_log_init(&kept, &mood), STATUS_OK);
    for (uint64_t i = 1; i < COUNT; i++) {
        mood.bpm = 40 + (int)(i % 60);
        mood.scene = (int)(i / 7 % (uint64_t)scene_count);
        struct mood_entry entry = {.sequence = i, .at_frame = i * 9600, .mood = mood, .wake_frame = i / 500 * 48000};
        assert_int_equal(mood_log_copy(&log, &entry), STATUS_OK);
        assert_int_equal(mood_log_adopt(&kept, mood_log_latest(&log)), STATUS_OK);
        mood_log_forget(&kept, i > 400 ? (i - 400) * 9600 : 0);
        assert_in_range(kept.count, 1, 810);
    }
    for (uint64_t frame = (COUNT - 400) * 9600; frame < COUNT * 9600; frame += 4800) {
        struct mood a = mood_log_mood(&log, frame), b = mood_log_mood(&kept, frame);
        struct scene_shares ours = mood_log_shares(&log, frame), theirs = mood_log_shares(&kept, frame);
        assert_int_equal(mood_difference(&a, &b), 0);
        assert_memory_equal(&ours, &theirs, sizeof ours);
        assert_int_equal(mood_log_at(&log, frame)->sequence, mood_log_at(&kept, frame)->sequence);
        assert_int_equal(mood_log_woken(&log, frame), mood_log_woken(&kept, frame));
        uint64_t beats = mood_log_beats(&log, frame);
        assert_int_equal(mood_log_beats(&kept, frame), beats);
        assert_int_equal(mood_log_frame_of_beats(&kept, beats), mood_log_frame_of_beats(&log, beats));
    }
    assert_int_equal(mood_log_latest(&kept)->hash, mood_log_latest(&log)->hash);
    mood_log_finish(&log);
    mood_log_finish(&kept);
}

static void entries_are_found_by_their_number(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    assert_null(mood_log_after(&log, 0));
    for (uint64_t i = 5; i < 50; i += 5)
        assert_int_equal(mood_log_append(&log, i, i * 960, &mood), STATUS_OK);
    assert_int_equal(mood_log_after(&log, 0)->sequence, 5);
    assert_int_equal(mood_log_after(&log, 12)->sequence, 15);
    assert_int_equal(mood_log_after(&log, 44)->sequence, 45);
    assert_null(mood_log_after(&log, 45));
    mood_log_forget(&log, 30 * 960);
    assert_int_equal(log.entries[0].sequence, 30);
    assert_int_equal(mood_log_after(&log, 0)->sequence, 30);   // what is gone is not missed
    mood_log_finish(&log);
}

// Of what it holds, in its order.
static void logs_that_differ_have_other_hashes(void **state)
{
    struct mood mood = mood_default(), other = mood_default();
    other.bpm++;
    uint64_t hashes[4];
    for (int i = 0; i < 4; i++) {
        struct mood_log log;
        assert_int_equal(mood_log_init(&log, i == 1 ? &other : &mood), STATUS_OK);
        assert_int_equal(mood_log_append(&log, 1, 960, i == 2 ? &other : &mood), STATUS_OK);
        assert_int_equal(mood_log_append(&log, 2, i == 3 ? 2880 : 1920, &mood), STATUS_OK);
        hashes[i] = mood_log_latest(&log)->hash;
        mood_log_finish(&log);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(hashes[k], hashes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_entry_at_a_frame_is_in_force),
        cmocka_unit_test(what_was_never_in_force_is_passed_over),
        cmocka_unit_test(beats_are_the_integral_of_the_tempo),
        cmocka_unit_test(frame_of_beats_is_the_first_frame),
        cmocka_unit_test(a_log_never_runs_backwards),
        cmocka_unit_test(it_grows),
        cmocka_unit_test(a_scene_takes_its_time),
        cmocka_unit_test(a_touch_does_not_stop_a_morph),
        cmocka_unit_test(a_morph_begins_where_another_was),
        cmocka_unit_test(a_morph_that_is_undone_goes_back),
        cmocka_unit_test(where_it_woke_last_is_found),
        cmocka_unit_test(what_is_forgotten_changes_nothing_after_it),
        cmocka_unit_test(entries_are_found_by_their_number),
        cmocka_unit_test(logs_that_differ_have_other_hashes),
    };
    return cmocka_run_group_tests_name("mood_log", tests, NULL, NULL);
}
