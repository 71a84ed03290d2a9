#include "ear/loudness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ebur128.h>

#include "ear/ear_signals.h"

enum { SECONDS = 60, RATE = 48000, FRAMES = SECONDS * RATE };

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

static void clear(void)
{
    memset(stereo, 0, 2 * FRAMES * sizeof *stereo);
}

static void scale(size_t from_s, size_t to_s, double db)
{
    for (size_t i = 2 * from_s * RATE; i < 2 * to_s * RATE; i++)
        stereo[i] *= (float)pow(10, db / 20);
}

static void assert_as_ebur128(size_t frames)
{
    ebur128_state *reference = ebur128_init(2, RATE, EBUR128_MODE_I | EBUR128_MODE_S | EBUR128_MODE_LRA);
    double short_max = -HUGE_VAL, integrated, range;
    assert_non_null(reference);
    for (size_t at = 0; at < frames; at += RATE / 10) {
        double short_term;
        size_t count = frames - at < RATE / 10 ? frames - at : RATE / 10;
        assert_int_equal(ebur128_add_frames_float(reference, stereo + 2 * at, count), EBUR128_SUCCESS);
        ebur128_loudness_shortterm(reference, &short_term);
        if (at + count >= 3 * RATE && count == RATE / 10)
            short_max = fmax(short_max, short_term);
    }
    ebur128_loudness_global(reference, &integrated);
    ebur128_loudness_range(reference, &range);
    ebur128_destroy(&reference);
    struct loudness own = loudness_measure(stereo, frames);
    if (integrated == -HUGE_VAL)
        assert_true(own.integrated_lufs == -HUGE_VAL);
    else
        assert_true(fabs(own.integrated_lufs - integrated) < .01);
    assert_true(fabs(own.short_term_max_lufs - short_max) < .01);
    if (frames >= 20 * RATE)
        assert_true(fabs(own.range_lu - range) < .1);
}

static void test_sines_of_every_pitch(void **state)
{
    for (double hz = 30; hz < 20000; hz *= 2.3) {
        clear();
        signal_sine(stereo, 10 * RATE, hz, .1);
        assert_as_ebur128(10 * RATE);
    }
}

static void test_noise(void **state)
{
    clear();
    signal_noise(stereo, FRAMES, 24000, 0, .1, 1);
    assert_as_ebur128(20 * RATE);
    clear();
    signal_noise(stereo, FRAMES, 400, 2, .5, 2);
    assert_as_ebur128(20 * RATE + 1234);
}

static void test_gates(void **state)
{
    clear();
    signal_noise(stereo, FRAMES, 3000, 1, .2, 3);
    scale(5, 15, -8);
    scale(15, 30, -13.4);
    scale(30, 40, -70);
    scale(40, 43, -200);
    assert_as_ebur128(FRAMES);
}

static void test_one_channel(void **state)
{
    clear();
    signal_sine(stereo, FRAMES, 997, .3);
    for (size_t i = 0; i < FRAMES; i++)
        stereo[2 * i] = 0;
    assert_as_ebur128(20 * RATE);
}

static void test_a_slow_pad(void **state)
{
    clear();
    for (int n = 1; n < 7; n++)
        signal_sine(stereo, FRAMES, 82.4 * n, .2 / n);
    signal_swell(stereo, FRAMES, .9, 11);
    assert_as_ebur128(FRAMES);
}

// EBU Tech 3341, minimum requirements test signals, case 1 and 3.
static void test_signals_of_the_standard(void **state)
{
    clear();
    for (size_t i = 0; i < FRAMES; i++)
        stereo[2 * i] = stereo[2 * i + 1] = (float)(pow(10, -23 / 20.) * sin(2 * M_PI * 1000 * (double)i / RATE));
    assert_true(fabs(loudness_measure(stereo, 20 * RATE).integrated_lufs + 23) < .1);
    scale(0, 10, -13);
    scale(50, 60, -13);
    assert_true(fabs(loudness_measure(stereo, FRAMES).integrated_lufs + 23) < .1);
}

static void test_silence_and_short_material(void **state)
{
    clear();
    struct loudness silence = loudness_measure(stereo, FRAMES);
    assert_true(silence.integrated_lufs == -HUGE_VAL && silence.short_term_max_lufs == -HUGE_VAL);
    assert_true(silence.momentary_max_lufs == -HUGE_VAL && isnan(silence.range_lu));
    signal_sine(stereo, FRAMES, 1000, .5);
    assert_true(loudness_measure(stereo, 0).integrated_lufs == -HUGE_VAL);
    assert_true(isnan(loudness_measure(stereo, 0).short_term_move_lu));
    assert_true(loudness_measure(stereo, 19199).integrated_lufs == -HUGE_VAL);
    assert_true(loudness_measure(stereo, 19200).integrated_lufs > -20);
    assert_true(loudness_measure(stereo, 3 * RATE - 1).short_term_max_lufs == -HUGE_VAL);
    assert_true(loudness_measure(stereo, 3 * RATE).short_term_max_lufs > -20);
}

// EBU Tech 3342, minimum requirements test signals, case 1 to 3: 20 s at each of the levels.
static void test_ranges_of_the_standard(void **state)
{
    static const struct { double first, second, range; } cases[] = {{-20, -30, 10}, {-20, -15, 5}, {-40, -20, 20}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        for (size_t i = 0; i < 40 * RATE; i++) {
            double level = i < 20 * RATE ? cases[n].first : cases[n].second;
            stereo[2 * i] = stereo[2 * i + 1] = (float)(pow(10, level / 20) * sin(2 * M_PI * 1000 * (double)i / RATE));
        }
        assert_true(fabs(loudness_measure(stereo, 40 * RATE).range_lu - cases[n].range) < .1);
    }
}

// A fade of 12 dB within 24 s moves by 5 dB in 10 s, a step of 9 dB by 9; what is nearly silent does not count.
static void test_moves_within_ten_seconds(void **state)
{
    clear();
    signal_sine(stereo, FRAMES, 1000, .1);
    assert_true(loudness_measure(stereo, FRAMES).short_term_move_lu < .05);
    for (size_t i = 0; i < FRAMES; i++) {
        double s = (double)i / RATE, db = s < 20 ? 0 : s < 44 ? (s - 20) / 2 : 12;
        stereo[2 * i] *= (float)pow(10, db / 20);
        stereo[2 * i + 1] *= (float)pow(10, db / 20);
    }
    assert_true(fabs(loudness_measure(stereo, FRAMES).short_term_move_lu - 5) < .1);
    scale(50, 60, -9);
    struct loudness step = loudness_measure(stereo, FRAMES);
    assert_true(fabs(step.short_term_move_lu - 9) < .1);
    assert_true(step.short_term_move_at_s >= 39.9 && step.short_term_move_at_s <= 50);
    clear();
    signal_sine(stereo, FRAMES, 1000, .1);
    scale(30, 60, -15);
    scale(45, 60, -35);
    assert_true(fabs(loudness_measure(stereo, FRAMES).short_term_move_lu - 15) < .1);
}

static void test_pieces_are_as_the_whole(void **state)
{
    clear();
    signal_noise(stereo, 20 * RATE, 2000, 1, .2, 5);
    signal_swell(stereo, 20 * RATE, .9, 5);
    struct loudness whole = loudness_measure(stereo, 20 * RATE);
    struct loudness_meter meter = {0};
    for (size_t at = 0, n = 0; at < 20 * RATE; n++) {
        size_t piece = 1 + (size_t)random_below(1, 1, n, 9000), left = 20 * RATE - at;
        piece = piece < left ? piece : left;
        loudness_add(&meter, stereo + 2 * at, piece);
        at += piece;
    }
    struct loudness pieces = loudness_read(&meter);
    assert_memory_equal(&pieces, &whole, sizeof whole);
    loudness_finish(&meter);
}

static void test_what_is_no_number(void **state)
{
    clear();
    signal_sine(stereo, FRAMES, 1000, .1);
    double whole = loudness_measure(stereo, 10 * RATE).integrated_lufs;
    stereo[1000] = NAN;
    stereo[2001] = -INFINITY;
    assert_true(fabs(loudness_measure(stereo, 10 * RATE).integrated_lufs - whole) < .1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sines_of_every_pitch),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_gates),
        cmocka_unit_test(test_one_channel),
        cmocka_unit_test(test_a_slow_pad),
        cmocka_unit_test(test_signals_of_the_standard),
        cmocka_unit_test(test_silence_and_short_material),
        cmocka_unit_test(test_ranges_of_the_standard),
        cmocka_unit_test(test_moves_within_ten_seconds),
        cmocka_unit_test(test_pieces_are_as_the_whole),
        cmocka_unit_test(test_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, claim, release);
}
