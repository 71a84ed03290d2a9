// A tone without any click, with steps planted where segments meet, where notes begin, sharply or not, and where none
// does.
#include "tools/click_watch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/frames.h"

enum { SECONDS = 80, FIRST = 7 * CHUNK_FRAMES, FRAMES = SECONDS * FRAME_RATE, MAX_ONSETS = 4096 };

static struct mood_log the_log;
static struct program program;
static struct event onsets[MAX_ONSETS];
static size_t onset_count;
static float *sound;
static struct click_watch watch;

static int make_score(void **state)
{
    struct mood mood = mood_default();
    struct event events[COMPOSE_MAX_EVENTS];
    assert_int_equal(mood_log_init(&the_log, &mood), STATUS_OK);
    program = (struct program){.seed = 5, .log = &the_log};
    for (uint64_t at = FIRST; at < FIRST + FRAMES; at += CHUNK_FRAMES) {
        int count = compose_events(&program, at, at + CHUNK_FRAMES, events);
        for (int i = 0; i < count && onset_count < MAX_ONSETS; i++)
            if (events[i].kind == EVENT_NOTE_ON)
                onsets[onset_count++] = events[i];
    }
    return onset_count > 10 ? 0 : -1;
}

static int forget_score(void **state)
{
    mood_log_finish(&the_log);
    return 0;
}

static int set_up(void **state)
{
    sound = malloc(sizeof *sound * FRAMES * CHANNELS);
    for (size_t i = 0; i < FRAMES; i++)
        sound[i * CHANNELS] = sound[i * CHANNELS + 1] = .1f * (float)sin(2 * M_PI * 200 / FRAME_RATE * (double)i);
    assert_int_equal(click_watch_init(&watch), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    click_watch_finish(&watch);
    free(sound);
    return 0;
}

static void plant_at(uint64_t frame)
{
    for (size_t i = (size_t)frame - FIRST; i < FRAMES; i++)
        sound[i * CHANNELS] += .05f;
}

// A step at the first frame from `second` on that is no neighbour of an onset. Returns the frame of the programme.
static uint64_t plant(double second)
{
    uint64_t frame = FIRST + (uint64_t)(second * FRAME_RATE);
    for (size_t i = 0; i < onset_count; i++)
        if (onsets[i].at_frame < frame + FRAME_RATE / 20 && frame < onsets[i].at_frame + FRAME_RATE / 20)
            frame = onsets[i].at_frame + FRAME_RATE / 20;
    plant_at(frame);
    return frame;
}

static bool is_by_another_layer(const struct event *onset)
{
    for (size_t i = 0; i < onset_count; i++)
        if (onsets[i].note.layer != onset->note.layer && onsets[i].at_frame < onset->at_frame + FRAME_RATE / 20 &&
            onset->at_frame < onsets[i].at_frame + FRAME_RATE / 20)
            return true;
    return false;
}

// Where after ten seconds a note of this layer begins, and none of another.
static uint64_t onset_in(enum layer layer)
{
    for (size_t i = 0; i < onset_count; i++)
        if (onsets[i].at_frame > FIRST + 10 * FRAME_RATE && onsets[i].note.layer == layer &&
            !is_by_another_layer(&onsets[i]))
            return onsets[i].at_frame;
    fail();
    return 0;
}

static struct click_result heard(size_t from, size_t to)
{
    struct click_result result;
    for (size_t at = from; at < to; at += CHUNK_FRAMES)
        assert_int_equal(click_watch_add(&watch, FIRST + at, sound + at * CHANNELS, CHUNK_FRAMES), STATUS_OK);
    assert_int_equal(click_watch_judge(&watch, &program, &result), STATUS_OK);
    return result;
}

static void a_clean_tone_has_no_click(void **state)
{
    struct click_result result = heard(0, FRAMES);
    assert_int_equal(result.clicks + result.explained, 0);
    assert_int_equal(result.watched_frames, FRAMES);
}

// Segments take 30 s and overlap by one: each of these is found, and found once.
static void clicks_are_found_wherever_segments_meet(void **state)
{
    static const double seconds[] = {3, 28.9, 29.2, 29.5, 29.8, 45, 58.3, 79.5};
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        uint64_t at = plant(seconds[i]);
        first = i == 0 ? at : first;
    }
    struct click_result result = heard(0, FRAMES);
    assert_int_equal(result.clicks, sizeof seconds / sizeof *seconds);
    assert_in_range(result.first.frame, first - 48, first + 48);
}

static void what_a_struck_note_begins_is_explained(void **state)
{
    plant_at(onset_in(LAYER_LEAD) + 5 * FRAME_RATE / 1000);
    struct click_result result = heard(0, FRAMES);
    assert_int_equal(result.clicks, 0);
    assert_int_equal(result.explained, 1);
}

static void a_chord_that_swells_explains_none(void **state)
{
    uint64_t at = onset_in(LAYER_PAD) + 5 * FRAME_RATE / 1000;
    plant_at(at);
    struct click_result result = heard(0, FRAMES);
    assert_int_equal(result.clicks, 1);
    assert_int_equal(result.explained, 0);
    assert_in_range(result.first.frame, at - 48, at + 48);
}

static void a_gap_is_no_click_and_hides_none(void **state)
{
    plant(20);
    uint64_t late = plant(41);
    struct click_result result;
    for (size_t at = 0; at < 10 * FRAME_RATE; at += CHUNK_FRAMES)
        assert_int_equal(click_watch_add(&watch, FIRST + at, sound + at * CHANNELS, CHUNK_FRAMES), STATUS_OK);
    result = heard(30 * FRAME_RATE + 2 * CHUNK_FRAMES, FRAMES);
    assert_int_equal(result.clicks, 1);
    assert_in_range(result.first.frame, late - 48, late + 48);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_clean_tone_has_no_click), CASE(clicks_are_found_wherever_segments_meet),
        CASE(what_a_struck_note_begins_is_explained), CASE(a_chord_that_swells_explains_none),
        CASE(a_gap_is_no_click_and_hides_none),
    };
    return cmocka_run_group_tests(tests, make_score, forget_score);
}
