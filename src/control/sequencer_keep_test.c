// Changes that are kept for good before they are in force, and a sequencer that goes on from them.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/frames.h"
#include "control/control.h"

enum { GUARD = 9600, APART = 4800 };

struct desk {
    struct clock clock;
    struct mood_log log;             // the station's
    struct control_result result;
};

static int desk_open(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct mood mood = mood_default();
    clock_init_virtual(&desk->clock, 1000 * NS_PER_SECOND, INT64_C(1700000000) * (int64_t)NS_PER_SECOND);
    *state = desk;
    return mood_log_init(&desk->log, &mood) == STATUS_OK ? 0 : -1;
}

static int desk_close(void **state)
{
    struct desk *desk = *state;
    mood_log_finish(&desk->log);
    free(desk);
    return 0;
}

static struct mood_patch patch_bpm(int bpm)
{
    return (struct mood_patch){.set = 1u << MOOD_ID_bpm, .values.bpm = bpm};
}

// What is kept, and what is made of it.
struct keeper {
    struct sequencer *sequencer;
    struct control_entry kept[8];
    size_t count;
    enum status refusal, refusal_then;   // and after the first time
    struct clock *clock;
    uint64_t takes_ns;
};

static enum status keep(void *context, const struct control_entry *entry)
{
    struct keeper *keeper = context;
    assert_int_equal(sequencer_latest(keeper->sequencer), entry->sequence - 1);
    if (keeper->refusal == STATUS_OK)
        keeper->kept[keeper->count++] = *entry;
    if (keeper->takes_ns > 0)
        clock_advance(keeper->clock, keeper->takes_ns);
    keeper->takes_ns = 0;
    enum status answer = keeper->refusal;
    if (keeper->refusal_then != STATUS_OK)
        keeper->refusal = keeper->refusal_then;
    return answer;
}

static struct control_config keeping(const struct desk *desk, struct keeper *keeper)
{
    return (struct control_config){.clock = &desk->clock, .origin_ns = 1000 * NS_PER_SECOND, .guard_frames = GUARD,
                                   .apart_frames = APART, .mood = mood_default(), .keep = keep,
                                   .keep_context = keeper};
}

static void test_a_change_that_is_not_kept_has_not_happened(void **state)
{
    struct desk *desk = *state;
    struct keeper keeper = {0};
    struct control_config config = keeping(desk, &keeper);
    struct sequencer *sequencer = keeper.sequencer = sequencer_create(&config);
    struct mood_patch fast = patch_bpm(80), slow = patch_bpm(50);
    struct control_change history[CONTROL_HISTORY];
    assert_int_equal(sequencer_submit(sequencer, &fast, CONTROL_USER, 0, &desk->result), STATUS_OK);
    keeper.refusal = STATUS_IO;
    for (int i = 0; i < 10; i++)
        assert_int_equal(sequencer_submit(sequencer, &slow, CONTROL_USER, 0, &desk->result), STATUS_IO);
    assert_int_equal(sequencer_undo(sequencer, 0, &desk->result), STATUS_IO);
    for (int i = 0; i < CONTROL_BURST; i++)
        (void)!sequencer_submit(sequencer, &slow, CONTROL_USER, 0, &desk->result);
    assert_int_equal(sequencer_submit(sequencer, &slow, CONTROL_USER, 0, &desk->result), STATUS_RATE_LIMITED);
    clock_advance(&desk->clock, 10 * NS_PER_SECOND);
    assert_int_equal(sequencer_latest(sequencer), 1);
    assert_int_equal(sequencer_mood(sequencer).bpm, 80);
    assert_int_equal(sequencer_history(sequencer, history), 1);
    assert_int_equal(sequencer_take(sequencer, &desk->log), STATUS_OK);
    assert_int_equal(desk->log.count, 2);
    keeper.refusal = STATUS_OK;
    assert_int_equal(sequencer_submit(sequencer, &slow, CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.sequence, 2);
    assert_int_equal(keeper.count, 2);
    sequencer_destroy(sequencer);
}

// Its frame must not be over when it comes into force.
static void test_a_change_that_took_long_to_be_kept_is_kept_again_for_later(void **state)
{
    struct desk *desk = *state;
    struct keeper keeper = {.clock = &desk->clock, .takes_ns = 3 * NS_PER_SECOND};
    struct control_config config = keeping(desk, &keeper);
    struct sequencer *sequencer = keeper.sequencer = sequencer_create(&config);
    struct mood_patch fast = patch_bpm(80);
    assert_int_equal(sequencer_submit(sequencer, &fast, CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_int_equal(keeper.count, 2);
    assert_int_equal(keeper.kept[0].sequence, 1);
    assert_int_equal(keeper.kept[1].sequence, 1);
    assert_int_equal(keeper.kept[0].at_frame, GUARD);
    assert_int_equal(keeper.kept[1].at_frame, 3 * FRAME_RATE + GUARD);
    assert_int_equal(desk->result.at_frame, 3 * FRAME_RATE + GUARD);
    sequencer_destroy(sequencer);
}

// What is kept is made, though it could not be put off.
static void test_a_change_that_cannot_be_kept_again_is_as_it_was_kept(void **state)
{
    struct desk *desk = *state;
    struct keeper keeper = {.clock = &desk->clock, .takes_ns = 3 * NS_PER_SECOND, .refusal_then = STATUS_IO};
    struct control_config config = keeping(desk, &keeper);
    struct sequencer *sequencer = keeper.sequencer = sequencer_create(&config);
    struct mood_patch fast = patch_bpm(80);
    assert_int_equal(sequencer_submit(sequencer, &fast, CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_int_equal(keeper.count, 1);
    assert_int_equal(desk->result.at_frame, keeper.kept[0].at_frame);
    assert_int_equal(sequencer_latest(sequencer), 1);
    sequencer_destroy(sequencer);
}

static void test_it_goes_on_from_what_was_kept(void **state)
{
    struct desk *desk = *state;
    struct keeper keeper = {0};
    struct control_config config = keeping(desk, &keeper);
    struct sequencer *before = keeper.sequencer = sequencer_create(&config);
    struct mood_entry was[4], is[4];
    for (int i = 0; i < 3; i++) {
        struct mood_patch patch = {.set = 1u << MOOD_ID_scene | 1u << MOOD_ID_morph_seconds,
                                   .values = {.scene = i + 1, .morph_seconds = 20}};
        assert_int_equal(sequencer_submit(before, &patch, CONTROL_USER, 0, &desk->result), STATUS_OK);
        clock_advance(&desk->clock, 3 * NS_PER_SECOND);
    }
    assert_int_equal(sequencer_entries(before, 0, was, 4), 4);
    sequencer_destroy(before);
    config.past = keeper.kept;
    config.past_count = keeper.count;
    struct sequencer *after = keeper.sequencer = sequencer_create(&config);
    assert_int_equal(sequencer_latest(after), 3);
    assert_int_equal(sequencer_entries(after, 0, is, 4), 4);
    assert_memory_equal(is, was, sizeof is);
    assert_int_equal(sequencer_take(after, &desk->log), STATUS_OK);
    assert_int_equal(desk->log.count, 4);
    assert_int_equal(sequencer_undo(after, 0, &desk->result), STATUS_OK);
    assert_int_equal(desk->result.sequence, 4);
    assert_int_equal(desk->result.mood.scene, 2);
    sequencer_destroy(after);
    config.past_count = 2;
    keeper.kept[1].sequence = 3;
    assert_null(sequencer_create(&config));
}

// A waking is kept and logged like a change, in its place among them, but nothing of the mood is another.
static void test_a_waking_is_kept_and_is_no_change(void **state)
{
    struct desk *desk = *state;
    struct keeper keeper = {0};
    struct control_config config = keeping(desk, &keeper);
    struct sequencer *sequencer = keeper.sequencer = sequencer_create(&config);
    struct mood_patch fast = patch_bpm(80), slow = patch_bpm(50);
    struct control_change history[CONTROL_HISTORY];
    clock_advance(&desk->clock, 20 * NS_PER_SECOND);
    assert_int_equal(sequencer_submit(sequencer, &fast, CONTROL_USER, 0, &desk->result), STATUS_OK);
    uint64_t changed = desk->result.at_frame;
    assert_int_equal(sequencer_wake(sequencer, 10 * FRAME_RATE), STATUS_OK);
    assert_int_equal(sequencer_wake(sequencer, 40 * FRAME_RATE), STATUS_OK);
    assert_int_equal(sequencer_latest(sequencer), 3);
    assert_int_equal(sequencer_steered(sequencer), 1);
    assert_int_equal(sequencer_history(sequencer, history), 1);
    assert_int_equal(keeper.count, 3);
    assert_true(keeper.kept[1].at_frame == changed && keeper.kept[1].wake_frame == 10 * FRAME_RATE);
    assert_true(keeper.kept[2].at_frame == 40 * FRAME_RATE && keeper.kept[2].wake_frame == 40 * FRAME_RATE);
    assert_int_equal(keeper.kept[2].mood.bpm, 80);
    clock_advance(&desk->clock, 40 * NS_PER_SECOND);
    assert_int_equal(sequencer_submit(sequencer, &slow, CONTROL_USER, 0, &desk->result), STATUS_OK);
    assert_true(keeper.kept[3].wake_frame == 40 * FRAME_RATE);
    assert_int_equal(sequencer_take(sequencer, &desk->log), STATUS_OK);
    assert_true(mood_log_woken(&desk->log, changed) == 10 * FRAME_RATE);
    assert_true(mood_log_woken(&desk->log, 60 * FRAME_RATE) == 40 * FRAME_RATE);
    assert_int_equal(sequencer_wake(sequencer, 40 * FRAME_RATE), STATUS_OK);
    assert_int_equal(sequencer_wake(sequencer, 39 * FRAME_RATE), STATUS_INVALID);
    assert_int_equal(sequencer_latest(sequencer), 4);
    keeper.refusal = STATUS_IO;
    assert_int_equal(sequencer_wake(sequencer, 70 * FRAME_RATE), STATUS_IO);
    assert_int_equal(sequencer_latest(sequencer), 4);
    sequencer_destroy(sequencer);
    keeper.refusal = STATUS_OK;
    config.past = keeper.kept;
    config.past_count = 3;
    struct sequencer *after = keeper.sequencer = sequencer_create(&config);
    assert_int_equal(sequencer_latest(after), 3);
    assert_int_equal(sequencer_steered(after), 1);
    assert_int_equal(sequencer_history(after, history), 1);
    assert_int_equal(sequencer_undo(after, 0, &desk->result), STATUS_OK);
    sequencer_destroy(after);
}

#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, desk_open, desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_a_change_that_is_not_kept_has_not_happened),
        DESK_TEST(test_a_change_that_took_long_to_be_kept_is_kept_again_for_later),
        DESK_TEST(test_a_change_that_cannot_be_kept_again_is_as_it_was_kept),
        DESK_TEST(test_it_goes_on_from_what_was_kept),
        DESK_TEST(test_a_waking_is_kept_and_is_no_change),
    };
    return cmocka_run_group_tests_name("sequencer_keep", tests, NULL, NULL);
}
