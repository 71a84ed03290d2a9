#include "ear/levels.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"

enum { FRAMES = 48000 };

static float stereo[2 * FRAMES];

static struct levels measured(size_t frames)
{
    struct levels levels = {0};
    levels_add(&levels, stereo, frames / 3);
    levels_add(&levels, stereo + 2 * (frames / 3), frames - frames / 3);
    return levels;
}

static void a_sine_is_as_the_books_say(void **state)
{
    memset(stereo, 0, sizeof stereo);
    signal_sine(stereo, FRAMES, 100, .5);
    struct levels levels = measured(FRAMES);
    assert_true(fabs(levels_peak_dbfs(&levels) + 6.0206) < .01);
    assert_true(fabs(levels_rms_dbfs(&levels) + 9.0309) < .01);
    assert_true(fabs(levels_crest_db(&levels) - 3.0103) < .01);
    assert_true(levels_dc_dbfs(&levels) < -120);
    assert_true(levels.nonfinite == 0 && levels.denormals == 0);
}

static void fill(double hz, double amplitude, float left, float right)
{
    memset(stereo, 0, sizeof stereo);
    signal_sine(stereo, FRAMES, hz, amplitude);
    for (size_t i = 0; i < FRAMES; i++) {
        stereo[2 * i] += left;
        stereo[2 * i + 1] += right;
    }
}

static void add_seconds(struct levels *levels, int seconds)
{
    for (int i = 0; i < seconds; i++)
        levels_add(levels, stereo, FRAMES);
}

static void dc_is_that_of_the_worse_channel(void **state)
{
    fill(100, .1, .002f, -.01f);
    struct levels levels = measured(FRAMES);
    assert_true(fabs(levels_dc_dbfs(&levels) + 40) < .01);
    add_seconds(&levels, 14);
    assert_true(fabs(levels_dc_dbfs(&levels) + 40) < .01);
}

// Over the whole it would be -66 dBFS.
static void an_offset_of_three_seconds_in_ten_minutes_is_found(void **state)
{
    struct levels levels = {0};
    fill(220, .1, 0, 0);
    add_seconds(&levels, 200);
    fill(220, .1, 0, .1f);
    add_seconds(&levels, 3);
    fill(220, .1, 0, 0);
    add_seconds(&levels, 397);
    assert_true(fabs(levels_dc_dbfs(&levels) + 20) < 1);
}

// On the right the recording begins in the middle of a wave.
static void the_lowest_notes_are_no_dc(void **state)
{
    struct levels levels = {0};
    fill(32, .7, 0, 0);
    add_seconds(&levels, 20);
    assert_true(levels_dc_dbfs(&levels) < -75);
}

static void what_is_no_audio_is_counted_and_left_out(void **state)
{
    memset(stereo, 0, sizeof stereo);
    signal_sine(stereo, FRAMES, 100, .5);
    struct levels clean = measured(FRAMES);
    stereo[100] = NAN;
    stereo[2001] = -INFINITY;
    stereo[60000] = INFINITY;
    stereo[0] = FLT_MIN / 2;
    stereo[2 * FRAMES - 1] = -FLT_TRUE_MIN;
    struct levels levels = measured(FRAMES);
    assert_int_equal(levels.nonfinite, 3);
    assert_int_equal(levels.denormals, 2);
    assert_true(fabs(levels_rms_dbfs(&levels) - levels_rms_dbfs(&clean)) < .01);
    assert_true(levels_peak_dbfs(&levels) == levels_peak_dbfs(&clean));
    stereo[0] = FLT_MIN;
    assert_int_equal(measured(FRAMES).denormals, 1);
}

static void silence_and_nothing_have_no_crest(void **state)
{
    memset(stereo, 0, sizeof stereo);
    struct levels silence = measured(FRAMES), nothing = {0};
    assert_true(levels_peak_dbfs(&silence) == -HUGE_VAL && levels_rms_dbfs(&silence) == -HUGE_VAL);
    assert_true(isnan(levels_crest_db(&silence)) && isnan(levels_crest_db(&nothing)));
    assert_true(isnan(levels_peak_dbfs(&nothing)) && isnan(levels_dc_dbfs(&nothing)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sine_is_as_the_books_say),
        cmocka_unit_test(dc_is_that_of_the_worse_channel),
        cmocka_unit_test(an_offset_of_three_seconds_in_ten_minutes_is_found),
        cmocka_unit_test(the_lowest_notes_are_no_dc),
        cmocka_unit_test(what_is_no_audio_is_counted_and_left_out),
        cmocka_unit_test(silence_and_nothing_have_no_crest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
