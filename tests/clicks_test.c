// Ten minutes of programme, or as many seconds as are asked for, with a parameter changed every five seconds: the ear
// may find no click, and must find one that was planted.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "base/frames.h"
#include "compose/compose.h"
#include "ear/clicks.h"
#include "score/mood_log.h"
#include "score/scene.h"
#include "station/programme.h"

enum { EVERY_S = 5, MAX_ONSETS = 65536, MAX_CLICKS = 16, STEP_FRAMES = FRAME_RATE };

static size_t seconds = 600;

// The n-th change: every parameter has its turn, switches go off and on again, numbers jump between their ends.
static struct mood next_mood(const struct mood *mood, int n)
{
    struct mood_patch patch = {.set = 1u << (n % MOOD_PARAMETERS), .values = *mood};
    int turn = n / MOOD_PARAMETERS;
    char *field = (char *)&patch.values + mood_parameters[n % MOOD_PARAMETERS].offset;
    switch (mood_parameters[n % MOOD_PARAMETERS].kind) {
    case MOOD_KIND_KEY:
        key_from_text((const char *[]){"D", "F# major", "Bb", "E minor"}[turn % 4], (struct key *)field);
        break;
    case MOOD_KIND_SCENE: patch = scene_patch(&scenes[(1 + turn * 5) % scene_count]); break;
    case MOOD_KIND_TUNING: *(int *)field = turn % tuning_count; break;
    case MOOD_KIND_MODE: *(enum mode *)field = (enum mode)((n * 5 + turn) % MODE_COUNT); break;
    case MOOD_KIND_INTEGER: *(int *)field = turn % 2 ? 40 : 120; break;  // a tempo, or how long a morph takes
    case MOOD_KIND_UNIT: *(double *)field = turn % 2 ? .05 : 1.; break;
    case MOOD_KIND_TOGGLE: *(bool *)field = !*(bool *)field; break;
    }
    return mood_apply(mood, &patch);
}

static void fill_log(struct mood_log *log)
{
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(log, &mood), STATUS_OK);
    for (int n = 0; (size_t)(n + 1) * EVERY_S < seconds; n++) {
        mood = next_mood(&mood, n);
        uint64_t at_frame = (uint64_t)(n + 1) * EVERY_S * FRAME_RATE;
        assert_int_equal(mood_log_append(log, (uint64_t)n + 1, at_frame, &mood), STATUS_OK);
    }
}

static size_t find_onsets(const struct program *program, uint64_t *onsets)
{
    struct event events[COMPOSE_MAX_EVENTS];
    size_t count = 0;
    for (uint64_t at = 0; at < seconds * FRAME_RATE; at += CHUNK_FRAMES) {
        int got = compose_events(program, at, at + CHUNK_FRAMES, events);
        for (int i = 0; i < got && count < MAX_ONSETS; i++)
            if (events[i].kind == EVENT_NOTE_ON)
                onsets[count++] = events[i].at_frame;
    }
    return count;
}

static void print_clicks(const struct click *clicks, long count)
{
    for (long i = 0; i < count && i < MAX_CLICKS; i++)
        print_error("click at %.3f s, %.1f times its surroundings\n", (double)clicks[i].frame / FRAME_RATE,
                    clicks[i].ratio);
}

static bool is_by_an_onset(size_t at, const uint64_t *onsets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (onsets[i] + FRAME_RATE / 20 > at && onsets[i] < at + FRAME_RATE / 20)
            return true;
    return false;
}

// How much of the half second around a frame is high: where rain falls a click has to be louder to be one.
static double highs_around(const float *sound, size_t at)
{
    double power = 0;
    for (size_t i = at - FRAME_RATE / 4; i < at + FRAME_RATE / 4; i++) {
        const float *x = sound + i * CHANNELS;
        double bend = (double)x[0] - 2.0 * (double)x[CHANNELS] + (double)x[2 * CHANNELS];
        power += bend * bend;
    }
    return power;
}

// The middle of the second with the fewest highs, by no onset.
static size_t quiet_place(const float *sound, const uint64_t *onsets, size_t count)
{
    size_t best = FRAME_RATE / 2;
    double least = INFINITY;
    for (size_t second = 1; second + 2 < seconds; second++) {
        size_t at = second * FRAME_RATE + FRAME_RATE / 2;
        if (is_by_an_onset(at, onsets, count) || highs_around(sound, at) >= least)
            continue;
        least = highs_around(sound, at);
        best = at;
    }
    return best;
}

static void plant_step(float *sound, size_t at, float height)
{
    for (size_t i = at; i < at + STEP_FRAMES; i++)
        sound[i * CHANNELS] += height;
}

static void moving_parameters_do_not_click(void **state)
{
    size_t frames = seconds * FRAME_RATE;
    float *sound = malloc(frames * CHANNELS * sizeof *sound);
    uint64_t *onsets = malloc(MAX_ONSETS * sizeof *onsets);
    struct programme *programme = aligned_alloc(64, programme_bytes());
    struct mood_log log;
    struct click clicks[MAX_CLICKS];
    fill_log(&log);
    const struct program program = {.seed = 20, .log = &log};
    programme_start(programme, &program, 0);
    for (size_t at = 0; at < frames; at += CHUNK_FRAMES)
        programme_render(programme, &program, backend_best(), sound + at * CHANNELS, CHUNK_FRAMES);
    size_t onset_count = find_onsets(&program, onsets);
    assert_in_range(onset_count, 50, MAX_ONSETS - 1);

    long found = clicks_find(sound, frames, onsets, onset_count, clicks, MAX_CLICKS);
    print_clicks(clicks, found);
    assert_int_equal(found, 0);
    assert_int_equal(programme_faults(programme), 0);

    // The detectors must not be deaf to this material: without a reference a step of -34 dBFS has to be found,
    // against a reference one of -60 dBFS.
    size_t at = quiet_place(sound, onsets, onset_count);
    plant_step(sound, at, .02f);
    assert_true(clicks_find(sound, frames, onsets, onset_count, clicks, MAX_CLICKS) > 0);
    float *reference = malloc(STEP_FRAMES * 2 * CHANNELS * sizeof *reference);
    memcpy(reference, sound + (at - STEP_FRAMES / 2) * CHANNELS, STEP_FRAMES * 2 * CHANNELS * sizeof *reference);
    plant_step(sound, at, .001f);
    assert_true(clicks_difference(sound + (at - STEP_FRAMES / 2) * CHANNELS, reference, STEP_FRAMES * 2) >=
                CLICKS_DIFFERENCE_LIMIT);

    free(reference);
    mood_log_finish(&log);
    free(programme);
    free(onsets);
    free(sound);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(moving_parameters_do_not_click)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
