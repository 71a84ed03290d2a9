#include "ear/stereo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"

enum { FRAMES = 5 * 48000 };

static float sound[2 * FRAMES];
static struct stereo meter;

static void measure(void)
{
    memset(&meter, 0, sizeof meter);
    stereo_add(&meter, sound, FRAMES / 3);
    stereo_add(&meter, sound + 2 * (FRAMES / 3), FRAMES - FRAMES / 3);
}

// The right channel goes ahead of the left one by `turn`.
static void pair(double hz, double turn)
{
    for (size_t i = 0; i < FRAMES; i++) {
        double phase = 2 * M_PI * hz * (double)i / 48000;
        sound[2 * i] += (float)(.3 * sin(phase));
        sound[2 * i + 1] += (float)(.3 * sin(phase + turn));
    }
}

static void equal_unrelated_and_opposite_channels(void **state)
{
    static const struct { double turn, correlation, loss; } cases[] = {
        {0, 1, 0}, {M_PI / 3, .5, 1.249}, {M_PI / 2, 0, 3.010}, {2 * M_PI / 3, -.5, 6.021}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(sound, 0, sizeof sound);
        pair(1000, cases[i].turn);
        measure();
        assert_true(fabs(stereo_correlation(&meter) - cases[i].correlation) < 1e-3);
        assert_true(fabs(stereo_fold_down_loss_db(&meter) - cases[i].loss) < .01);
    }
    memset(sound, 0, sizeof sound);
    pair(1000, M_PI);
    measure();
    assert_true(stereo_correlation(&meter) < -.999 && stereo_fold_down_loss_db(&meter) > 60);
    memset(sound, 0, sizeof sound);
    signal_noise(sound, FRAMES, 24000, 0, .1, 3);
    measure();
    assert_true(fabs(stereo_correlation(&meter)) < .01);
}

static void the_bass_is_looked_at_alone(void **state)
{
    memset(sound, 0, sizeof sound);
    pair(60, 0);
    pair(1000, M_PI / 2);
    measure();
    assert_true(stereo_bass_correlation(&meter) > .999);
    assert_true(fabs(stereo_correlation(&meter) - .5) < .01);
    memset(sound, 0, sizeof sound);
    pair(60, 2);
    pair(1000, 0);
    measure();
    assert_true(fabs(stereo_bass_correlation(&meter) - cos(2)) < .01);
}

static void no_bass_is_in_phase(void **state)
{
    memset(sound, 0, sizeof sound);
    pair(3000, 2);
    measure();
    assert_true(stereo_bass_correlation(&meter) == 1);
}

static void silence_has_no_answer(void **state)
{
    memset(sound, 0, sizeof sound);
    measure();
    assert_true(isnan(stereo_correlation(&meter)) && isnan(stereo_fold_down_loss_db(&meter)));
    signal_sine(sound, FRAMES, 1000, .1);
    for (size_t i = 0; i < FRAMES; i++)
        sound[2 * i] = 0;
    measure();
    assert_true(isnan(stereo_correlation(&meter)));
    assert_true(fabs(stereo_fold_down_loss_db(&meter) - 3.0103) < .001);
    sound[7] = NAN;
    measure();
    assert_true(isfinite(stereo_fold_down_loss_db(&meter)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_unrelated_and_opposite_channels),
        cmocka_unit_test(the_bass_is_looked_at_alone),
        cmocka_unit_test(no_bass_is_in_phase),
        cmocka_unit_test(silence_has_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
