#include "ear/motion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"

enum { RATE = 48000, SECONDS = 60, FRAMES = SECONDS * RATE };

static float *stereo;

static int claim(void **state)
{
    stereo = malloc(2 * FRAMES * sizeof *stereo);
    return stereo ? 0 : -1;
}

static int release(void **state)
{
    free(stereo);
    return 0;
}

static void pad(void)
{
    memset(stereo, 0, 2 * FRAMES * sizeof *stereo);
    for (int n = 1; n < 6; n++)
        signal_sine(stereo, FRAMES, 110.3 * n, .05 / n);
    signal_noise(stereo, FRAMES, 2000, 2, .02, 5);
    signal_swell(stereo, FRAMES, .5, 13);
}

static void pluck(double at_s, double hz, double amplitude)
{
    size_t first = (size_t)(at_s * RATE);
    for (size_t i = 0; first + i < FRAMES && i < RATE; i++) {
        double s = (double)i / RATE, gain = (s < .01 ? s / .01 : 1) * exp(-s * 5) * amplitude;
        float sample = (float)(gain * (sin(2 * M_PI * hz * s) + .5 * sin(4 * M_PI * hz * s)));
        stereo[2 * (first + i)] += sample;
        stereo[2 * (first + i) + 1] += sample;
    }
}

static struct motion measured(size_t frames, size_t piece)
{
    struct motion_meter meter;
    assert_true(motion_init(&meter));
    for (size_t at = 0; at < frames; at += piece)
        motion_add(&meter, stereo + 2 * at, piece < frames - at ? piece : frames - at);
    struct motion motion = motion_read(&meter);
    motion_finish(&meter);
    return motion;
}

static void a_pad_has_no_onsets_and_no_grid(void **state)
{
    pad();
    struct motion motion = measured(FRAMES, FRAMES);
    assert_true(motion.onsets_per_s < .04);
    assert_true(motion.grid_correlation < .2);
}

static void plucks_are_counted(void **state)
{
    enum { PLUCKS = 20 };
    double at = 1;
    pad();
    for (uint64_t i = 0; i < PLUCKS; i++) {
        pluck(at, 220 * pow(2, random_unit(1, 2, i) * 2), .15);
        at += 1 + 3.5 * random_unit(1, 1, i);
    }
    assert_true(at < SECONDS + 4);
    struct motion motion = measured(FRAMES, FRAMES);
    assert_true(fabs(motion.onsets_per_s * SECONDS - PLUCKS) <= 1);
    assert_true(motion.grid_correlation < .3);
}

// What the first Auralis did: every second, in time.
static void a_grid_is_found_with_its_lag(void **state)
{
    static const double lags[] = {.5, 1, 3.7};
    for (size_t n = 0; n < sizeof lags / sizeof *lags; n++) {
        pad();
        for (int i = 1; i * lags[n] < SECONDS; i++)
            pluck(i * lags[n], 220 * pow(2, (i * 7 % 12) / 12.), .15);
        struct motion motion = measured(FRAMES, FRAMES);
        double beats = motion.grid_lag_s / lags[n];
        assert_true(motion.grid_correlation > .5);
        assert_true(fabs(beats - round(beats)) * lags[n] < .06);
    }
}

static void a_pad_that_is_gated_is_a_grid(void **state)
{
    pad();
    for (size_t i = 0; i < FRAMES; i++) {
        double s = fmod((double)i / RATE, 1), gain = s < .05 ? s / .05 : s < .8 ? 1 : fmax(.1, 1 - (s - .8) * 10);
        stereo[2 * i] *= (float)gain;
        stereo[2 * i + 1] *= (float)gain;
    }
    assert_true(measured(FRAMES, FRAMES).grid_correlation > .5);
}

static void pieces_are_as_the_whole(void **state)
{
    pad();
    struct motion whole = measured(5 * RATE, FRAMES), pieces = measured(5 * RATE, 777);
    assert_memory_equal(&whole, &pieces, sizeof whole);
}

static void silence_and_short_material(void **state)
{
    memset(stereo, 0, 2 * FRAMES * sizeof *stereo);
    struct motion silence = measured(FRAMES, FRAMES), nothing = measured(RATE / 2, RATE);
    assert_true(silence.onsets_per_s == 0 && silence.grid_correlation == 0 && isnan(silence.grid_lag_s));
    assert_true(isnan(nothing.onsets_per_s) && isnan(nothing.grid_correlation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pad_has_no_onsets_and_no_grid), cmocka_unit_test(plucks_are_counted),
        cmocka_unit_test(a_grid_is_found_with_its_lag), cmocka_unit_test(a_pad_that_is_gated_is_a_grid),
        cmocka_unit_test(pieces_are_as_the_whole), cmocka_unit_test(silence_and_short_material),
    };
    return cmocka_run_group_tests(tests, claim, release);
}
