#include "control/control.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/frames.h"
#include "score/scene.h"
#include "score/tuning.h"

enum { GUARD = 9600, APART = 4800 };

struct desk {
    struct clock clock;
    struct sequencer *sequencer;
    struct mood_log log;             // the station's
    struct control_result result;
};

static int desk_open(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    clock_init_virtual(&desk->clock, 1000 * NS_PER_SECOND, INT64_C(1700000000) * (int64_t)NS_PER_SECOND);
    struct control_config config = {
        .clock = &desk->clock, .origin_ns = 1000 * NS_PER_SECOND, .guard_frames = GUARD, .apart_frames = APART,
        .mood = mood_default()};
    desk->sequencer = sequencer_create(&config);
    *state = desk;
    return desk->sequencer && mood_log_init(&desk->log, &config.mood) == STATUS_OK ? 0 : -1;
}

static int desk_close(void **state)
{
    struct desk *desk = *state;
    sequencer_destroy(desk->sequencer);
    mood_log_finish(&desk->log);
    free(desk);
    return 0;
}

static struct mood_patch patch_bpm(int bpm)
{
    return (struct mood_patch){.set = 1u << MOOD_ID_bpm, .values.bpm = bpm};
}

static struct mood_patch patch_intensity(double intensity)
{
    return (struct mood_patch){.set = 1u << MOOD_ID_intensity, .values.intensity = intensity};
}

static enum status submit(struct desk *desk, struct mood_patch patch)
{
    return sequencer_submit(desk->sequencer, &patch, CONTROL_USER, 0, &desk->result);
}

static void test_a_change_is_stamped_after_the_guard_on_the_grid(void **state)
{
    struct desk *desk = *state;
    clock_advance(&desk->clock, frames_to_ns(48003));
    assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    assert_int_equal(desk->result.sequence, 1);
    assert_int_equal(desk->result.at_frame, frames_round_up(48003 + GUARD, 960));
    assert_int_equal(desk->result.changed, 1u << MOOD_ID_bpm);
    assert_int_equal(desk->result.mood.bpm, 80);
    assert_int_equal(desk->result.timestamp_ms, UINT64_C(1700000001000));
    assert_int_equal(sequencer_latest(desk->sequencer), 1);
    assert_int_equal(sequencer_mood(desk->sequencer).bpm, 80);
    assert_int_equal(sequencer_guard_frames(desk->sequencer), GUARD);
}

static void test_before_the_origin_it_is_frame_zero(void **state)
{
    struct desk *desk = *state;
    struct control_config config = {
        .clock = &desk->clock, .origin_ns = 2000 * NS_PER_SECOND, .guard_frames = GUARD, .mood = mood_default()};
    struct sequencer *early = sequencer_create(&config);
    assert_int_equal(sequencer_submit(early, &(struct mood_patch){.set = 1u << MOOD_ID_bpm, .values.bpm = 80},
                                      CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.at_frame, GUARD);
    sequencer_destroy(early);
}

static void test_an_origin_before_the_boot(void **state)
{
    struct desk *desk = *state;
    struct control_config config = {
        .clock = &desk->clock, .origin_ns = 0 - 9000 * NS_PER_SECOND, .guard_frames = 0, .mood = mood_default()};
    struct sequencer *old = sequencer_create(&config);
    struct mood_patch patch = patch_bpm(80);
    assert_int_equal(sequencer_submit(old, &patch, CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.at_frame, UINT64_C(10000) * FRAME_RATE);
    sequencer_destroy(old);
}

static void test_a_wish_that_alters_nothing_logs_nothing(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    uint64_t at_frame = desk->result.at_frame;
    clock_advance(&desk->clock, NS_PER_SECOND);
    for (int i = 0; i < 3 * CONTROL_BURST; i++)
        assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    assert_int_equal(desk->result.changed, 0);
    assert_int_equal(desk->result.sequence, 1);
    assert_int_equal(desk->result.at_frame, at_frame);
    assert_int_equal(submit(desk, (struct mood_patch){.set = 0}), STATUS_OK);
    assert_int_equal(sequencer_latest(desk->sequencer), 1);
    struct control_change changes[CONTROL_HISTORY];
    assert_int_equal(sequencer_history(desk->sequencer, changes), 1);
}

static void test_values_out_of_range_are_refused(void **state)
{
    struct desk *desk = *state;
    const struct mood_patch bad[] = {
        patch_bpm(39), patch_bpm(121), patch_bpm(0), patch_intensity(NAN), patch_intensity(-.01),
        patch_intensity(1.01), patch_intensity(INFINITY),
        {.set = 1u << MOOD_ID_mode, .values.mode = (enum mode)MODE_COUNT},
        {.set = 1u << MOOD_ID_mode, .values.mode = (enum mode)-1},
        {.set = 1u << MOOD_ID_scene, .values.scene = scene_count},
        {.set = 1u << MOOD_ID_scene, .values.scene = -1},
        {.set = 1u << MOOD_ID_tuning, .values.tuning = tuning_count},
        {.set = 1u << MOOD_ID_tuning, .values.tuning = -1},
        {.set = 1u << MOOD_ID_key, .values.key = {.letter = 7}},
        {.set = 1u << MOOD_ID_key, .values.key = {.accidental = 2}},
        {.set = 1u << MOOD_ID_key, .values.key = {.quality = 3}},
        {.set = 1u << MOOD_PARAMETERS},
    };
    desk->result.sequence = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(submit(desk, bad[i]), STATUS_INVALID);
    assert_int_equal(desk->result.sequence, 77);
    assert_int_equal(sequencer_latest(desk->sequencer), 0);
    assert_int_equal(submit(desk, (struct mood_patch){.set = 0, .values.bpm = -5}), STATUS_OK);
}

// A slider that is dragged: the first change is as soon as it can be, the others come together a tenth of a second
// apart, and none comes earlier than its guard.
static void test_changes_in_quick_succession_come_together(void **state)
{
    struct desk *desk = *state;
    uint64_t last = 0;
    int groups = 0;
    clock_advance(&desk->clock, NS_PER_SECOND);
    for (uint64_t i = 0; i < 20; i++, clock_advance(&desk->clock, 20 * NS_PER_MS)) {
        uint64_t natural = 48000 + 960 * i + GUARD;
        assert_int_equal(submit(desk, patch_bpm(80 + (int)i)), STATUS_OK);
        uint64_t at = desk->result.at_frame;
        assert_int_equal(at % 960, 0);
        assert_in_range(at, natural, natural + APART);
        assert_true(i == 0 ? at == natural : at == last || at >= last + APART);
        groups += at != last;
        last = at;
    }
    assert_in_range(groups, 4, 5);
    clock_advance(&desk->clock, NS_PER_SECOND);
    assert_int_equal(submit(desk, patch_bpm(70)), STATUS_OK);
    assert_int_equal(desk->result.at_frame, 48000 + 960 * 20 + 48000 + GUARD);
}

static void test_a_clock_that_steps_back_moves_no_frame_back(void **state)
{
    struct desk *desk = *state;
    clock_advance(&desk->clock, 20 * NS_PER_SECOND);
    assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    uint64_t at_frame = desk->result.at_frame;
    clock_init_virtual(&desk->clock, 1001 * NS_PER_SECOND, 0);
    assert_int_equal(submit(desk, patch_bpm(81)), STATUS_OK);
    assert_int_equal(desk->result.at_frame, at_frame);
}

static void test_the_station_takes_each_entry_once(void **state)
{
    struct desk *desk = *state;
    uint64_t frames[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(submit(desk, patch_bpm(80 + i)), STATUS_OK);
        frames[i] = desk->result.at_frame;
        clock_advance(&desk->clock, NS_PER_SECOND);
    }
    assert_int_equal(sequencer_take(desk->sequencer, &desk->log), STATUS_OK);
    assert_int_equal(sequencer_take(desk->sequencer, &desk->log), STATUS_OK);
    assert_int_equal(desk->log.count, 4);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(desk->log.entries[i].sequence, i);
        assert_int_equal(desk->log.entries[i].at_frame, frames[i - 1]);
        assert_int_equal(desk->log.entries[i].mood.bpm, 79 + (int)i);
    }
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void test_who_takes_is_told(void **state)
{
    struct desk *desk = *state;
    int calls = 0;
    sequencer_on_change(desk->sequencer, count_call, &calls);
    assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(calls, 2);
    sequencer_on_change(desk->sequencer, NULL, NULL);
    assert_int_equal(submit(desk, patch_bpm(81)), STATUS_OK);
    assert_int_equal(calls, 2);
}

static void test_entries_by_index(void **state)
{
    struct desk *desk = *state;
    struct mood_entry entries[4];
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(desk, patch_bpm(80 + i)), STATUS_OK);
    assert_int_equal(sequencer_entries(desk->sequencer, 0, entries, 4), 4);
    assert_int_equal(entries[0].sequence, 0);
    assert_int_equal(entries[0].at_frame, 0);
    assert_int_equal(entries[3].mood.bpm, 82);
    assert_int_equal(entries[3].changed, 1u << MOOD_ID_bpm);
    assert_int_equal(sequencer_entries(desk->sequencer, 2, entries, 1), 1);
    assert_int_equal(entries[0].sequence, 2);
    assert_int_equal(sequencer_entries(desk->sequencer, 4, entries, 4), 0);
    assert_int_equal(sequencer_entries(desk->sequencer, SIZE_MAX, entries, 4), 0);
    assert_int_equal(sequencer_entries(desk->sequencer, 0, NULL, 0), 0);
}

static void test_a_slider_passes_and_a_flood_does_not(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < CONTROL_BURST / 2; i++)
        assert_int_equal(submit(desk, patch_intensity(i / 100.0)), STATUS_OK);
    assert_int_equal(submit(desk, patch_intensity(.9)), STATUS_RATE_LIMITED);
    assert_true(sequencer_mood(desk->sequencer).intensity == .24);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_RATE_LIMITED);
    assert_int_equal(submit(desk, patch_intensity(.24)), STATUS_OK);
    clock_advance(&desk->clock, 49 * NS_PER_MS);
    assert_int_equal(submit(desk, patch_intensity(.9)), STATUS_RATE_LIMITED);
    clock_advance(&desk->clock, NS_PER_MS);
    assert_int_equal(submit(desk, patch_intensity(.9)), STATUS_OK);
    assert_int_equal(submit(desk, patch_intensity(.91)), STATUS_RATE_LIMITED);
    clock_advance(&desk->clock, 3600 * NS_PER_SECOND);
    for (int i = 0; i < CONTROL_BURST / 2; i++)
        assert_int_equal(submit(desk, patch_intensity(i / 100.0)), STATUS_OK);
    assert_int_equal(submit(desk, patch_intensity(.9)), STATUS_RATE_LIMITED);
    clock_advance(&desk->clock, NS_PER_SECOND);
    for (int i = 0; i < 1000; i++) {
        clock_advance(&desk->clock, NS_PER_SECOND / CONTROL_PER_SECOND);
        assert_int_equal(submit(desk, patch_intensity(i % 2)), STATUS_OK);
    }
}

// A number of hands turn as fast as they can, one more only now and then.
static void flood_beside_a_quiet_hand(struct desk *desk, int floods)
{
    int quiet = 0;
    for (int step = 0; step < 60 * 50; step++) {
        clock_advance(&desk->clock, 20 * NS_PER_MS);
        for (int hand = 1; hand <= floods; hand++) {
            struct mood_patch patch = patch_intensity((step * floods + hand) % 1000 / 1000.0);
            enum status status = sequencer_submit(desk->sequencer, &patch, CONTROL_USER, (uint64_t)hand, &desk->result);
            assert_true(status == STATUS_OK || status == STATUS_RATE_LIMITED);
        }
        if (step % 25 == 0)
            assert_int_equal(submit(desk, patch_bpm(60 + quiet++ % 2)), STATUS_OK);
    }
    // What is there is used nevertheless: 20 a second, and at most the burst.
    uint64_t given = sequencer_latest(desk->sequencer);
    assert_in_range(given, 60 * CONTROL_PER_SECOND, 60 * CONTROL_PER_SECOND + CONTROL_BURST);
}

static void test_a_hand_that_floods_leaves_some_to_others(void **state)
{
    flood_beside_a_quiet_hand(*state, 1);
}

static void test_hands_that_flood_leave_some_to_others(void **state)
{
    flood_beside_a_quiet_hand(*state, 5);
}

static void test_doubtful_moods_are_warned_of(void **state)
{
    struct desk *desk = *state;
    struct mood_patch patch = {.set = 1u << MOOD_ID_melody_complexity | 1u << MOOD_ID_intensity,
                               .values = {.melody_complexity = .81, .intensity = .29}};
    assert_int_equal(submit(desk, patch), STATUS_OK);
    assert_int_equal(desk->result.warning_count, 1);
    patch = (struct mood_patch){.set = 1u << MOOD_ID_harmonic_density | 1u << MOOD_ID_chord_progression_variety,
                                .values = {.harmonic_density = .9, .chord_progression_variety = .1}};
    assert_int_equal(submit(desk, patch), STATUS_OK);
    assert_int_equal(desk->result.warning_count, 2);
    assert_string_not_equal(desk->result.warnings[0], desk->result.warnings[1]);
    assert_int_equal(submit(desk, patch_intensity(.3)), STATUS_OK);
    assert_int_equal(desk->result.warning_count, 1);
    patch = (struct mood_patch){.set = 1u << MOOD_ID_harmonic_density, .values = {.harmonic_density = .8}};
    assert_int_equal(submit(desk, patch), STATUS_OK);
    assert_int_equal(desk->result.warning_count, 0);
}

static void test_undo_and_redo(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    assert_int_equal(submit(desk, patch_bpm(80)), STATUS_OK);
    assert_int_equal(submit(desk, patch_bpm(90)), STATUS_OK);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.mood.bpm, 80);
    assert_int_equal(desk->result.sequence, 3);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.mood.bpm, 70);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.mood.bpm, 90);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(submit(desk, patch_intensity(.6)), STATUS_OK);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    assert_int_equal(sequencer_latest(desk->sequencer), 9);
}

static void test_a_patch_is_undone_as_a_whole(void **state)
{
    struct desk *desk = *state;
    struct mood start = sequencer_mood(desk->sequencer);
    struct mood_patch patch = {.set = 1u << MOOD_ID_bpm | 1u << MOOD_ID_enable_kicks | 1u << MOOD_ID_key,
                               .values = {.bpm = 90, .enable_kicks = false}};
    assert_true(key_from_text("C# major", &patch.values.key));
    assert_int_equal(submit(desk, patch), STATUS_OK);
    uint32_t changed = desk->result.changed;
    struct mood moved = desk->result.mood;
    assert_true(changed >> MOOD_ID_mode & 1);
    assert_int_equal(submit(desk, patch_intensity(.1)), STATUS_OK);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.changed, changed);
    assert_int_equal(mood_difference(&desk->result.mood, &start), 0);
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(mood_difference(&desk->result.mood, &moved), 0);
    struct control_change changes[CONTROL_HISTORY];
    assert_int_equal(sequencer_history(desk->sequencer, changes), __builtin_popcount(changed));
}

static void test_history_tells_what_is_in_force(void **state)
{
    struct desk *desk = *state;
    struct control_change changes[CONTROL_HISTORY];
    struct mood_patch patch = {.set = 1u << MOOD_ID_bpm, .values.bpm = 80};
    assert_int_equal(sequencer_submit(desk->sequencer, &patch, CONTROL_AUTO, 0, &desk->result), STATUS_OK);
    clock_advance(&desk->clock, NS_PER_SECOND);
    assert_int_equal(submit(desk, patch_intensity(.6)), STATUS_OK);
    assert_int_equal(sequencer_history(desk->sequencer, changes), 2);
    assert_int_equal(changes[0].parameter, MOOD_ID_bpm);
    assert_int_equal(changes[0].before.bpm, 70);
    assert_int_equal(changes[0].after.bpm, 80);
    assert_int_equal(changes[0].source, CONTROL_AUTO);
    assert_int_equal(changes[1].source, CONTROL_USER);
    assert_int_equal(changes[1].parameter, MOOD_ID_intensity);
    assert_int_equal(changes[1].timestamp_ms - changes[0].timestamp_ms, 1000);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    assert_int_equal(sequencer_history(desk->sequencer, changes), 1);
}

static void submit_slowly(struct desk *desk, struct mood_patch patch)
{
    clock_advance(&desk->clock, NS_PER_SECOND);
    assert_int_equal(submit(desk, patch), STATUS_OK);
}

static void test_fifty_changes_are_kept_and_no_step_is_undone_by_half(void **state)
{
    struct desk *desk = *state;
    struct control_change changes[CONTROL_HISTORY];
    struct mood_patch two = {.set = 1u << MOOD_ID_bpm | 1u << MOOD_ID_enable_pads, .values.bpm = 60};
    submit_slowly(desk, two);
    for (int i = 0; i < CONTROL_HISTORY - 1; i++)
        submit_slowly(desk, patch_intensity(i / 100.0));
    assert_int_equal(sequencer_history(desk->sequencer, changes), CONTROL_HISTORY);
    assert_int_equal(changes[0].parameter, MOOD_ID_enable_pads);
    clock_advance(&desk->clock, 10 * NS_PER_SECOND);
    for (int i = 0; i < CONTROL_HISTORY - 1; i++) {
        clock_advance(&desk->clock, NS_PER_SECOND);
        assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_OK);
    }
    assert_true(desk->result.mood.intensity == .5);
    assert_int_equal(desk->result.mood.bpm, 60);
    assert_int_equal(sequencer_undo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
    for (int i = 0; i < CONTROL_HISTORY - 1; i++) {
        clock_advance(&desk->clock, NS_PER_SECOND);
        assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_OK);
        assert_true(desk->result.mood.intensity == i / 100.0);
    }
    assert_int_equal(sequencer_redo(desk->sequencer, 0, &desk->result), STATUS_CONFLICT);
}

enum { HANDS = 3, WISHES = 2000 };

struct hand {
    struct desk *desk;
    int number, accepted;
};

static void *hand_turn(void *argument)
{
    struct hand *hand = argument;
    for (int i = 0; i < WISHES; i++) {
        struct mood_patch patch = patch_intensity((hand->number * WISHES + i) / (double)(HANDS * WISHES));
        struct control_result result;
        clock_advance(&hand->desk->clock, 100 * NS_PER_MS);
        enum status status =
            sequencer_submit(hand->desk->sequencer, &patch, CONTROL_USER, (uint64_t)hand->number, &result);
        hand->accepted += status == STATUS_OK && result.changed;
    }
    return NULL;
}

static void test_many_hands_and_a_station(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[HANDS];
    struct hand hands[HANDS];
    for (int i = 0; i < HANDS; i++) {
        hands[i] = (struct hand){.desk = desk, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, hand_turn, &hands[i]), 0);
    }
    while (sequencer_latest(desk->sequencer) < WISHES)
        assert_int_equal(sequencer_take(desk->sequencer, &desk->log), STATUS_OK);
    uint64_t accepted = 0;
    for (int i = 0; i < HANDS; i++) {
        pthread_join(threads[i], NULL);
        accepted += (uint64_t)hands[i].accepted;
    }
    assert_int_equal(sequencer_take(desk->sequencer, &desk->log), STATUS_OK);
    assert_int_equal(accepted, HANDS * WISHES);
    assert_int_equal(desk->log.count, accepted + 1);
    for (size_t i = 1; i < desk->log.count; i++) {
        assert_int_equal(desk->log.entries[i].sequence, i);
        assert_true(desk->log.entries[i].at_frame >= desk->log.entries[i - 1].at_frame);
        assert_int_equal(desk->log.entries[i].at_frame % 960, 0);
    }
}

#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, desk_open, desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_a_change_is_stamped_after_the_guard_on_the_grid),
        DESK_TEST(test_before_the_origin_it_is_frame_zero),
        DESK_TEST(test_an_origin_before_the_boot),
        DESK_TEST(test_a_wish_that_alters_nothing_logs_nothing),
        DESK_TEST(test_values_out_of_range_are_refused),
        DESK_TEST(test_changes_in_quick_succession_come_together),
        DESK_TEST(test_a_clock_that_steps_back_moves_no_frame_back),
        DESK_TEST(test_the_station_takes_each_entry_once),
        DESK_TEST(test_who_takes_is_told),
        DESK_TEST(test_entries_by_index),
        DESK_TEST(test_a_slider_passes_and_a_flood_does_not),
        DESK_TEST(test_a_hand_that_floods_leaves_some_to_others),
        DESK_TEST(test_hands_that_flood_leave_some_to_others),
        DESK_TEST(test_doubtful_moods_are_warned_of),
        DESK_TEST(test_undo_and_redo),
        DESK_TEST(test_a_patch_is_undone_as_a_whole),
        DESK_TEST(test_history_tells_what_is_in_force),
        DESK_TEST(test_fifty_changes_are_kept_and_no_step_is_undone_by_half),
        DESK_TEST(test_many_hands_and_a_station),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
