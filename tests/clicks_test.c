// Ten minutes of programme, or as many seconds as are asked for, with a parameter or some of them changed every five
// seconds: the ear may find no click, and must find one that was planted; what has to hold whatever is played holds.
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
#include "ear/card.h"
#include "ear/clicks.h"
#include "ear/gates.h"
#include "restless.h"
#include "station/programme.h"
#include "tools/click_watch.h"

enum { KEPT_S = 300, MAX_ONSETS = 16384, MAX_CLICKS = 16, STEP_FRAMES = FRAME_RATE };

static size_t seconds = 600;

// What was listened to; of the sound itself the last minutes are kept.
struct listening {
    struct programme *programme;
    struct program program;
    struct card_meter *meter;
    float *sound;
    size_t kept_frames;
};

static void listen(struct listening *listening)
{
    size_t frames = seconds * FRAME_RATE, kept_from = frames - listening->kept_frames;
    float chunk[CHUNK_FRAMES * CHANNELS];
    programme_start(listening->programme, &listening->program, 0);
    for (size_t at = 0; at < frames; at += CHUNK_FRAMES) {
        programme_render(listening->programme, &listening->program, backend_best(), chunk, CHUNK_FRAMES);
        assert_int_equal(card_meter_add(listening->meter, chunk, CHUNK_FRAMES), STATUS_OK);
        if (at >= kept_from)
            memcpy(listening->sound + (at - kept_from) * CHANNELS, chunk, sizeof chunk);
    }
}

static void start_listening(struct listening *listening, const struct mood_log *log)
{
    size_t frames = (seconds < KEPT_S ? seconds : KEPT_S) * FRAME_RATE;
    *listening = (struct listening){
        .programme = aligned_alloc(64, programme_bytes()),
        .program = {.seed = 20, .log = log},
        .meter = card_meter_create(),
        .sound = malloc(frames * CHANNELS * sizeof(float)),
        .kept_frames = frames,
    };
    assert_true(listening->programme && listening->meter && listening->sound);
}

static void stop_listening(struct listening *listening)
{
    card_meter_destroy(listening->meter);
    free(listening->programme);
    free(listening->sound);
}

static void assert_no_click(const struct listening *listening)
{
    size_t count;
    const struct click *clicks = card_meter_clicks(listening->meter, &count);
    struct click_result result = click_watch_explain(&listening->program, 0, clicks, count);
    if (result.clicks > 0)
        print_error("first click at %.3f s, %.1f times its surroundings\n", (double)result.first.frame / FRAME_RATE,
                    result.first.ratio);
    assert_int_equal(result.clicks, 0);
}

// What has to hold of any material, while everything moves as well. Loudness is not among it: who turns a layer off
// wants it to be softer.
static void assert_gates(const struct card *card)
{
    static const char *const names[] = {"true_peak", "dc", "nonfinite", "denormals", "correlation", "bass_correlation",
                                        "fold_down_loss"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct gate *gate = gates_of_row(gates_find("render"), names[i]);
        double value = card_value(card, card_row_find(names[i]));
        print_message("# %s: %.3g\n", names[i], value);
        assert_non_null(gate);
        assert_true(gates_judge(gate, card) == VERDICT_GOOD);
    }
    print_message("# %.1f LUFS, moves of %.1f LU within 10 s at most, at %.0f s\n", card->integrated,
                  card->short_term_move, card->short_term_move_at);
}

// Sharp onsets within what is kept, counted from its beginning.
static size_t find_onsets(const struct listening *listening, uint64_t *onsets)
{
    struct event events[COMPOSE_MAX_EVENTS];
    size_t count = 0, frames = seconds * FRAME_RATE, from = frames - listening->kept_frames;
    for (uint64_t at = from; at < frames; at += CHUNK_FRAMES) {
        int got = compose_events(&listening->program, at, at + CHUNK_FRAMES, events);
        for (int i = 0; i < got && count < MAX_ONSETS; i++)
            if (click_watch_is_sharp(&events[i]))
                onsets[count++] = events[i].at_frame - from;
    }
    assert_in_range(count, 20, MAX_ONSETS - 1);
    return count;
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
static size_t quiet_place(const float *sound, size_t frames, const uint64_t *onsets, size_t count)
{
    size_t best = FRAME_RATE / 2;
    double least = INFINITY;
    for (size_t second = 1; second + 2 < frames / FRAME_RATE; second++) {
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

// The detectors must not be deaf to this material: without a reference a step of -34 dBFS has to be found, against a
// reference one of -60 dBFS.
static void assert_not_deaf(struct listening *listening)
{
    static uint64_t onsets[MAX_ONSETS];
    static float reference[2 * STEP_FRAMES * CHANNELS];
    struct click clicks[MAX_CLICKS];
    size_t onset_count = find_onsets(listening, onsets), frames = listening->kept_frames;
    float *sound = listening->sound;
    size_t at = quiet_place(sound, frames, onsets, onset_count);
    assert_int_equal(clicks_find(sound, frames, onsets, onset_count, clicks, MAX_CLICKS), 0);
    plant_step(sound, at, .02f);
    assert_true(clicks_find(sound, frames, onsets, onset_count, clicks, MAX_CLICKS) > 0);
    float *around = sound + (at - STEP_FRAMES / 2) * CHANNELS;
    memcpy(reference, around, sizeof reference);
    plant_step(sound, at, .001f);
    assert_true(clicks_difference(around, reference, STEP_FRAMES * 2) >= CLICKS_DIFFERENCE_LIMIT);
}

static void moving_parameters_harm_nothing(void **state)
{
    struct mood_log log;
    struct listening listening;
    struct card card;
    assert_int_equal(restless_log(&log, 5, seconds), STATUS_OK);
    start_listening(&listening, &log);
    listen(&listening);
    assert_int_equal(card_meter_read(listening.meter, &card), STATUS_OK);
    assert_int_equal(programme_faults(listening.programme), 0);
    assert_no_click(&listening);
    assert_gates(&card);
    assert_not_deaf(&listening);
    stop_listening(&listening);
    mood_log_finish(&log);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(moving_parameters_harm_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
