// How the whole sounds: loudness, ceiling, width, DC, and no click where layers go or a lane is taken.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "synth/instruments/all.h"
#include "synth/test_loudness.h"
#include "synth/test_score.h"

#define CEILING 0.79433

static const struct mix middle = TEST_MIX_WET;

static double mean_of(const float *stereo, size_t frames, int channel)
{
    double sum = 0;
    for (size_t i = 0; i < frames; i++)
        sum += stereo[i * CHANNELS + (size_t)channel];
    return sum / (double)frames;
}

// Correlation of left and right, of everything or of what lies below 120 Hz (two one-poles).
static double correlation(const float *stereo, size_t frames, bool lows)
{
    double share = lows ? 2 * M_PI * 60 / FRAME_RATE : 1, state[4] = {0}, both = 0, left = 0, right = 0;
    for (size_t i = 0; i < frames; i++) {
        for (int c = 0; c < CHANNELS; c++) {
            state[c] += (stereo[i * CHANNELS + (size_t)c] - state[c]) * share;
            state[2 + c] += (state[c] - state[2 + c]) * share;
        }
        both += state[2] * state[3];
        left += state[2] * state[2];
        right += state[3] * state[3];
    }
    return both / sqrt(left * right);
}

static void a_minute_is_in_range(void **unused)
{
    (void)unused;
    enum { SECONDS = 60, FRAMES = SECONDS * FRAME_RATE };
    static struct test_score score;
    test_score_mix(&score, 0, middle);
    test_score_fill(&score, SECONDS, TEST_ALL);
    float *out = test_render(backend_best(), &score, SECONDS, 75);
    struct test_loudness loudness = test_loudness(out, FRAMES);
    double wide = correlation(out, FRAMES, false), low = correlation(out, FRAMES, true);
    print_message("# %.2f LUFS, %.2f dBTP, correlation %.2f, in the lows %.3f\n", loudness.integrated_lufs,
                  loudness.true_peak_db, wide, low);
    assert_true(fabs(loudness.integrated_lufs + 18) < 1.5);
    assert_true(loudness.true_peak_db < -1.9);
    assert_true(wide > 0.2 && wide < 0.9 && low > 0.95);
    assert_true(fabs(mean_of(out, FRAMES, 0)) < 1e-3 && fabs(mean_of(out, FRAMES, 1)) < 1e-3);
    assert_true(test_click_ratio(out, FRAMES) < 3);
    free(out);
}

static void crowds_stay_under_the_ceiling(void **unused)
{
    (void)unused;
    enum { SECONDS = 12, FRAMES = SECONDS * FRAME_RATE };
    static struct test_score score;
    test_score_mix(&score, 0, (struct mix){.gain = {1, 1, 1, 1, 1, 1, 1}, .brightness = 1, .motion = 1, .space = 1,
                                           .warmth = 1, .shimmer = 0.3f, .chorus = 1, .echo = 1, .loudness = -18});
    for (int lane = 0; lane < 32; lane++)
        test_score_note(&score, 0, INSTRUMENT_PAD, lane, (float)(40 + lane), 11);
    for (int lane = 0; lane < 16; lane++)
        for (enum instrument instrument = INSTRUMENT_PAD + 1; instrument < INSTRUMENT_COUNT; instrument++)
            test_score_note(&score, 3 + 0.3 * lane, instrument, lane, (float)(60 + lane), 2);
    for (int n = 1; n < score.count; n++)
        score.events[n].note.velocity = 1;
    test_score_sort(&score);
    float *out = test_render(backend_best(), &score, SECONDS, 75);
    double peak = test_peak(out, FRAMES * CHANNELS), true_peak_db = test_loudness(out, FRAMES).true_peak_db;
    print_message("# peak %.2f dB, %.2f dBTP\n", 20 * log10(peak), true_peak_db);
    assert_true(peak > CEILING * 0.9 && peak <= CEILING);
    assert_true(true_peak_db < -1.9);
    free(out);
}

// Eight seconds of two held pads.
static void hold_pads(struct test_score *score)
{
    score->count = 0;
    test_score_mix(score, 0, middle);
    test_score_note(score, 0, INSTRUMENT_PAD, 3, 57, 30);
    test_score_note(score, 0, INSTRUMENT_PAD, 19, 64, 30);
}

static double rms(const float *stereo, double from_s, double to_s)
{
    size_t from = (size_t)(from_s * FRAME_RATE) * CHANNELS, to = (size_t)(to_s * FRAME_RATE) * CHANNELS;
    double power = 0;
    for (size_t i = from; i < to; i++)
        power += (double)stereo[i] * stereo[i] / (double)(to - from);
    return sqrt(power);
}

static void layers_fade(void **unused)
{
    (void)unused;
    enum { SECONDS = 8, FRAMES = SECONDS * FRAME_RATE };
    static struct test_score score;
    hold_pads(&score);
    struct mix thin = middle;
    thin.gain[LAYER_PAD] = thin.space = 0;
    test_score_mix(&score, 4, thin);
    test_score_mix(&score, 6, middle);
    test_score_sort(&score);
    float *out = test_render(backend_best(), &score, SECONDS, 75);
    assert_true(test_click_ratio(out, FRAMES) < 3);
    assert_true(rms(out, 4.1, 4.25) > 0.5 * rms(out, 3.8, 4.0));
    assert_true(rms(out, 5.5, 6.0) < 0.5 * rms(out, 3.8, 4.0));
    // The detector can tell: the same, gated.
    memset(out + 5 * FRAME_RATE * CHANNELS / 4 * 3, 0, sizeof *out * FRAME_RATE);
    assert_true(test_click_ratio(out, FRAMES) > 3);
    free(out);
}

// A chain is heard at its loudness from the beginning, not after a servo has found it.
static void a_chain_begins_at_its_loudness(void **unused)
{
    (void)unused;
    enum { SECONDS = 60, SOON = 3 * FRAME_RATE, LATE = 20 * FRAME_RATE };
    static struct test_score score;
    score.count = 0;
    struct mix sleep = middle;
    sleep.loudness = -23;
    test_score_mix(&score, 0, sleep);
    for (int voice = 0; voice < 4; voice++)
        test_score_note(&score, 0, INSTRUMENT_PAD, voice, 45 + 5 * (float)voice, 70);
    for (int n = 1; n < score.count; n++)
        score.events[n].note.attack_s = 0.1f;
    float *out = test_render(backend_best(), &score, SECONDS, 75);
    double soon = test_loudness(out, SOON).integrated_lufs;
    double late = test_loudness(out + (size_t)LATE * CHANNELS, SECONDS * FRAME_RATE - LATE).integrated_lufs;
    print_message("# the first three seconds %.1f LUFS, later %.1f LUFS\n", soon, late);
    assert_true(soon < late + 1 && fabs(late + 23) < 1.5);
    free(out);
}

// Takes the lane of a sounding pad at 4 s. Returns the click ratio. hard: the old note is cut off at once instead.
static double take_lane(bool hard)
{
    enum { SECONDS = 6, BEFORE = 4 * 750, AFTER = 2 * 750 };
    static struct test_score score;
    static float out[SECONDS * FRAME_RATE * CHANNELS];
    hold_pads(&score);
    struct synth_state *state = test_state(0);
    synth_render(backend_best(), state, score.events, score.count, out, BEFORE);
    if (hard)
        memset(&state->pad[0], 0, sizeof state->pad[0]);
    score.count = 0;
    test_score_note(&score, 4, INSTRUMENT_PAD, 3, 62, 30);
    synth_render(backend_best(), state, score.events, score.count, out + BEFORE * CONTROL_FRAMES * CHANNELS, AFTER);
    assert_int_equal(state->pad[0].lanes.stage[3], LANE_ATTACKS);
    assert_true(state->pad[0].lanes.now.pitch[3] == 62);
    free(state);
    return test_click_ratio(out, SECONDS * FRAME_RATE);
}

static void taken_lanes_do_not_click(void **unused)
{
    (void)unused;
    double soft = take_lane(false), hard = take_lane(true);
    print_message("# click ratio of a lane taken: %.2f, cut off: %.2f\n", soft, hard);
    assert_true(soft < 3 && hard > 3);
}

// Every layer alone, with its ends: nothing clicks but the known onset of a kick.
static void layers_alone_do_not_click(void **unused)
{
    (void)unused;
    enum { SECONDS = 20, FRAMES = SECONDS * FRAME_RATE };
    static const int layers[] = {TEST_PADS, TEST_LEAD, TEST_SWELLS};
    for (int n = 0; n < 3; n++) {
        static struct test_score score;
        score.count = 0;
        test_score_mix(&score, 0, middle);
        test_score_fill(&score, SECONDS - 5, layers[n]);
        float *out = test_render(backend_best(), &score, SECONDS, 75);
        double ratio = test_click_ratio(out, FRAMES);
        print_message("# layers %d: click ratio %.2f\n", layers[n], ratio);
        assert_true(ratio < 3);
        free(out);
    }
}

// Notes of one instrument on two lanes: each is let go after a second, and its lane taken while it still sounds.
// hard: the second is cut off for a second instead. Returns the click ratio.
static double play_phrase(enum instrument instrument, bool hard)
{
    enum { SECONDS = 10, FRAMES = SECONDS * FRAME_RATE };
    static const float melody[] = {60, 67, 48, 72, 55, 79};
    const float lower = instrument == INSTRUMENT_DRONE ? 24 : 0;
    static struct test_score score;
    score.count = 0;
    test_score_mix(&score, 0, middle);
    for (int n = 0; n < 6; n++)
        test_score_note(&score, 0.1 + 1.25 * n, instrument, n % 2, melody[n] - lower, 1);
    float *out = test_render(backend_best(), &score, SECONDS, 75);
    if (hard)
        memset(out + FRAME_RATE * CHANNELS * 8 / 5, 0, sizeof *out * FRAME_RATE);
    double ratio = test_click_ratio(out, FRAMES);
    free(out);
    return ratio;
}

static void phrases_do_not_click(void **unused)
{
    (void)unused;
    static const enum instrument all[] = {INSTRUMENT_BELL, INSTRUMENT_BAR, INSTRUMENT_BOWL, INSTRUMENT_CHOIR,
                                          INSTRUMENT_DRONE, INSTRUMENT_PLUCK};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
        double soft = play_phrase(all[n], false), hard = play_phrase(all[n], true);
        print_message("# %s: click ratio of a phrase %.2f, cut off %.2f\n", instrument_name(all[n]), soft, hard);
        assert_true(soft < 3 && hard > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_in_range),     cmocka_unit_test(crowds_stay_under_the_ceiling),
        cmocka_unit_test(layers_fade),              cmocka_unit_test(a_chain_begins_at_its_loudness),
        cmocka_unit_test(taken_lanes_do_not_click), cmocka_unit_test(layers_alone_do_not_click),
        cmocka_unit_test(phrases_do_not_click),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
