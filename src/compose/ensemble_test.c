// Who plays what: loops, drones, weather, and how one scene gives way to another.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compose/ensemble.h"
#include "compose/layers.h"
#include "compose/testing.h"
#include "score/scene.h"

static bool is_note_of(const struct event *event, enum layer layer)
{
    return event->kind == EVENT_NOTE_ON && event->note.layer == layer;
}

static struct mood mood_of(const char *name)
{
    return scene_mood(scene_find(name));
}

// The turns of each loop come a period apart, or several where some stay silent, give or take the second that a turn
// may be late.
static void loops_keep_their_periods(void **state)
{
    static const double period_s[] = {23.5, 25.875, 29.9375, 34.311, 41.777};
    struct mood mood = mood_of("focus");
    struct mood_log log = testing_log(&mood);
    struct score score = testing_score(&(struct program){9, &log}, 0, HOURS(2));
    uint64_t first[5] = {0};
    int turns[5] = {0};
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (!is_note_of(event, LAYER_LOOP))
            continue;
        int loop = (event->note.lane - 16) / 3;
        assert_in_range(loop, 0, 4);
        if (turns[loop]++ == 0)
            first[loop] = event->at_frame;
        double turn = (double)(event->at_frame - first[loop]) / FRAME_RATE / period_s[loop];
        double away_s = (turn - (double)(int)(turn + 0.5)) * period_s[loop];
        assert_true(away_s > -1.01 && away_s < 1.01);
    }
    for (int loop = 0; loop < 5; loop++)
        assert_true(turns[loop] > 7200 / period_s[loop] / 4);
    score_free(&score);
    mood_log_finish(&log);
}

// One sounds at any time, on the tonic of its beginning; a new key has its own within a chord's length.
static void the_drone_stands_on_the_tonic(void **state)
{
    struct mood_log log = testing_restless_log(3, SECONDS(70), HOURS(2));
    struct program program = {3, &log};
    struct score score = testing_score(&program, 0, HOURS(2));
    uint64_t sounding = 0, since = 0;
    int drones = 0;
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (event->kind == EVENT_NOTE_OFF && event->off.id == sounding)
            sounding = 0;
        if (!is_note_of(event, LAYER_DRONE))
            continue;
        assert_int_equal(sounding, 0);
        int tonic = key_tonic(mood_log_at(&log, event->at_frame)->mood.key);
        assert_int_equal((int)event->note.pitch % 12, tonic);
        assert_true(drones == 0 || event->at_frame > since);
        sounding = event->note.id;
        since = event->at_frame;
        drones++;
    }
    assert_true(drones > 12);
    score_free(&score);
    mood_log_finish(&log);
}

static void weather_never_stops(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    struct score score = testing_score(&(struct program){5, &log}, 0, HOURS(1));
    uint64_t until = 0;
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (!is_note_of(event, LAYER_TEXTURE))
            continue;
        assert_true(until == 0 || event->at_frame + SECONDS(2) < until);
        until = event->at_frame + event->note.hold_frames;
    }
    assert_true(until > HOURS(1));
    score_free(&score);
    mood_log_finish(&log);
}

static bool plays(const struct scene *scene, enum layer layer, enum instrument instrument)
{
    for (int i = 0; i <= 100; i++)
        if (scene_instrument(scene, layer, i / 100.0) == instrument)
            return true;
    return false;
}

// From strings to bells over ten minutes: before and after only the scene's own instruments play the melody, on the way
// both do, the new ones more and more.
static void scenes_give_way_note_by_note(void **state)
{
    const struct scene *strings = scene_find("harp"), *bells = scene_find("glass");
    struct mood mood = scene_mood(strings), other = scene_mood(bells);
    struct mood_log log = testing_log(&mood);
    mood.morph_seconds = other.morph_seconds = 600;
    testing_append(&log, SECONDS(600), &other);
    struct score score = testing_score(&(struct program){8, &log}, 0, SECONDS(1800));
    int notes[3][2] = {{0}};
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (!is_note_of(event, LAYER_LEAD))
            continue;
        bool is_new = !plays(strings, LAYER_LEAD, (enum instrument)event->note.instrument);
        assert_true(is_new || !plays(bells, LAYER_LEAD, (enum instrument)event->note.instrument));
        notes[event->at_frame / SECONDS(600)][is_new]++;
    }
    print_message("# strings and bells before %d, %d, on the way %d, %d, after %d, %d\n", notes[0][0], notes[0][1],
                  notes[1][0], notes[1][1], notes[2][0], notes[2][1]);
    assert_true(notes[0][0] > 50 && notes[0][1] == 0);
    assert_true(notes[1][0] > 20 && notes[1][1] > 20);
    assert_true(notes[2][0] == 0 && notes[2][1] > 50);
    score_free(&score);
    mood_log_finish(&log);
}

// Drift, from 60 s on another scene, from 75 s on a third one or back; each takes 30 s.
static struct mood_log log_of_two_changes(int second, int third)
{
    struct mood mood = mood_default(), other = scene_mood(&scenes[second]), last = scene_mood(&scenes[third]);
    struct mood_log log = testing_log(&mood);
    testing_append(&log, SECONDS(60), &other);
    testing_append(&log, SECONDS(75), &last);
    return log;
}

static bool is_near(float a, float b, float most)
{
    return a - b < most && b - a < most;
}

static bool mixes_are_near(const struct mix *a, const struct mix *b)
{
    bool near = is_near(a->brightness, b->brightness, .01f) && is_near(a->motion, b->motion, .01f) &&
                is_near(a->space, b->space, .01f) && is_near(a->warmth, b->warmth, .01f) &&
                is_near(a->shimmer, b->shimmer, .01f) && is_near(a->chorus, b->chorus, .01f) &&
                is_near(a->echo, b->echo, .01f) && is_near(a->loudness, b->loudness, .05f);
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        near = near && is_near(a->gain[layer], b->gain[layer], .01f);
    return near;
}

// A tenth of a second moves nothing further than a thirtieth of its way or so, wherever on the way of one scene another
// is chosen.
static void scenes_give_way_without_a_step(void **state)
{
    for (int n = 0; n < scene_count * scene_count; n++) {
        struct mood_log log = log_of_two_changes(n / scene_count, n % scene_count);
        struct program program = {8, &log};
        struct mix before = mix_at(&program, SECONDS(59));
        struct ensemble_amounts amounts_before = ensemble_amounts(&program, SECONDS(59));
        for (uint64_t frame = SECONDS(59.1); frame < SECONDS(106); frame += SECONDS(.1)) {
            struct mix mix = mix_at(&program, frame);
            struct ensemble_amounts amounts = ensemble_amounts(&program, frame);
            assert_true(mixes_are_near(&before, &mix));
            assert_true(is_near((float)amounts.melody, (float)amounts_before.melody, .01f));
            assert_true(is_near((float)amounts.loops, (float)amounts_before.loops, .01f));
            before = mix;
            amounts_before = amounts;
        }
        mood_log_finish(&log);
    }
}

// Who plays a note hardly depends on whether it begins just before the second change or just after it.
static void who_plays_is_kept_by_another_change(void **state)
{
    for (int n = 0; n < scene_count * scene_count; n++) {
        struct mood_log log = log_of_two_changes(n / scene_count, n % scene_count);
        struct program program = {8, &log};
        int others = 0;
        for (uint64_t index = 0; index < 200; index++)
            others += ensemble_instrument(&program, SECONDS(75) - CONTROL_FRAMES, LAYER_LEAD, index) !=
                      ensemble_instrument(&program, SECONDS(75) + CONTROL_FRAMES, LAYER_LEAD, index);
        assert_in_range(others, 0, 1);
        mood_log_finish(&log);
    }
}

struct hour {
    int notes;
    double pitch, brightness;    // means
};

static struct hour hour_of_the_day(int begin_minute, bool follow_day)
{
    struct mood mood = mood_default();
    mood.follow_day = follow_day;
    struct mood_log log = testing_log(&mood);
    log.head.begin_minute = begin_minute;
    struct score score = testing_score(&(struct program){4, &log}, 0, HOURS(1));
    struct hour hour = {0};
    int mixes = 0;
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (is_note_of(event, LAYER_LEAD)) {
            hour.notes++;
            hour.pitch += (double)event->note.pitch;
        }
        if (event->kind == EVENT_MIX) {
            mixes++;
            hour.brightness += (double)event->mix.brightness;
        }
    }
    hour.pitch /= hour.notes;
    hour.brightness /= mixes;
    score_free(&score);
    mood_log_finish(&log);
    return hour;
}

static void nights_are_thinner_lower_and_darker(void **state)
{
    struct hour night = hour_of_the_day(2 * 60 + 30, true), day = hour_of_the_day(14 * 60 + 30, true);
    assert_true(day.notes > night.notes * 1.4);
    assert_true(day.pitch > night.pitch + 3);
    assert_true(day.brightness > night.brightness + .15);
    struct hour always = hour_of_the_day(0, false), whenever = hour_of_the_day(12 * 60, false);
    assert_true(always.notes == whenever.notes && always.pitch == whenever.pitch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_keep_their_periods),
        cmocka_unit_test(the_drone_stands_on_the_tonic),
        cmocka_unit_test(weather_never_stops),
        cmocka_unit_test(scenes_give_way_note_by_note),
        cmocka_unit_test(scenes_give_way_without_a_step),
        cmocka_unit_test(who_plays_is_kept_by_another_change),
        cmocka_unit_test(nights_are_thinner_lower_and_darker),
    };
    return cmocka_run_group_tests_name("ensemble", tests, NULL, NULL);
}
