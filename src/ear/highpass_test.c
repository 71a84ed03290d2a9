#include "ear/highpass.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"

enum { FRAMES = 4800 };

static float in[2 * (FRAMES + HIGHPASS_TAPS)], out[2 * FRAMES];

static double gain_db(double hz)
{
    struct highpass highpass;
    double squares = 0;
    memset(in, 0, sizeof in);
    signal_sine(in, FRAMES + HIGHPASS_TAPS, hz, 1);
    highpass_init(&highpass);
    highpass_run(&highpass, in, out, FRAMES);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        squares += (double)out[i] * out[i];
    return 10 * log10(squares / FRAMES + 1e-20);
}

static void test_it_passes_what_is_high(void **state)
{
    for (double hz = 16000; hz <= 23000; hz += 500)
        assert_true(fabs(gain_db(hz)) < .1);
    double corner = gain_db(14000);
    assert_true(corner < -5 && corner > -7);
    for (double hz = 20; hz <= 12500; hz *= 1.1)
        assert_true(gain_db(hz) < -65);
}

static void test_lanes_and_rest_agree_for_every_length(void **state)
{
    struct highpass highpass;
    float whole[2 * 100], part[2 * 100];
    memset(in, 0, sizeof in);
    signal_noise(in, 300, 24000, 0, .3, 1);
    highpass_init(&highpass);
    highpass_run(&highpass, in, whole, 100);
    for (size_t frames = 0; frames <= 100; frames++) {
        memset(part, 0, sizeof part);
        highpass_run(&highpass, in, part, frames);
        assert_memory_equal(part, whole, 2 * frames * sizeof *part);
    }
}

static void test_an_impulse_stays_in_its_channel_and_place(void **state)
{
    struct highpass highpass;
    memset(in, 0, sizeof in);
    in[2 * 200 + 1] = 1;
    highpass_init(&highpass);
    highpass_run(&highpass, in, out, 400);
    for (int i = 0; i < 400; i++) {
        assert_true(out[2 * i] == 0);
        assert_true(fabsf(out[2 * i + 1]) <= out[2 * (200 - HIGHPASS_DELAY) + 1]);
    }
    assert_true(out[2 * (200 - HIGHPASS_DELAY) + 1] > .4f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_passes_what_is_high),
        cmocka_unit_test(test_lanes_and_rest_agree_for_every_length),
        cmocka_unit_test(test_an_impulse_stays_in_its_channel_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
