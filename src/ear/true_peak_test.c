#include "ear/true_peak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ebur128.h>

#include "ear/ear_signals.h"

enum { RATE = 48000, FRAMES = 4 * RATE };

static float stereo[2 * FRAMES];

static double measured(const float *sound, size_t frames)
{
    struct true_peak meter;
    true_peak_init(&meter);
    true_peak_add(&meter, sound, frames);
    return true_peak_dbtp(&meter);
}

static double by_ebur128(void)
{
    double left, right;
    ebur128_state *meter = ebur128_init(2, RATE, EBUR128_MODE_TRUE_PEAK);
    assert_non_null(meter);
    assert_int_equal(ebur128_add_frames_float(meter, stereo, FRAMES), EBUR128_SUCCESS);
    ebur128_true_peak(meter, 0, &left);
    ebur128_true_peak(meter, 1, &right);
    ebur128_destroy(&meter);
    return 20 * log10(fmax(left, right));
}

// A sine that is cut off has a peak of its own: it comes and goes within 10 ms.
static void tone(double hz, double amplitude, double turn)
{
    for (size_t i = 0; i < FRAMES; i++) {
        size_t edge = i < FRAMES - i ? i : FRAMES - i;
        double gain = edge < 480 ? .5 - .5 * cos(M_PI * (double)edge / 480) : 1;
        stereo[2 * i] = (float)(gain * amplitude * sin(2 * M_PI * hz * (double)i / RATE + turn));
        stereo[2 * i + 1] = stereo[2 * i] / 2;
    }
}

// At a quarter of the rate and 45 degrees the samples miss the peak by 3 dB.
static void the_peak_between_the_samples_is_found(void **state)
{
    tone(RATE / 4., .5, M_PI / 4);
    double sample_peak = 0;
    for (size_t i = 0; i < FRAMES; i++)
        sample_peak = fmax(sample_peak, fabs((double)stereo[2 * i]));
    assert_true(fabs(20 * log10(sample_peak) + 9.03) < .01);
    assert_true(fabs(measured(stereo, FRAMES) + 6.0206) < .05);
}

// Four-fold sampling misses a peak by .7 dB at most below 0.45 of the rate; the phase here is the worst half-way.
static void tones_of_every_pitch_have_their_peak(void **state)
{
    for (double hz = 50; hz < 19000; hz *= 1.37) {
        tone(hz, .8, .3);
        double db = measured(stereo, FRAMES) - 20 * log10(.8);
        assert_true(db < .05 && db > -.15);
    }
}

// A sum of tones up to 18 kHz, of which the waveform is known everywhere; both ends rise from silence.
static double sum_of_tones(double frame, uint64_t seed)
{
    double sum = 0;
    for (uint64_t i = 0; i < 12; i++)
        sum += sin(2 * M_PI * (200 + 18000 * random_unit(seed, 1, i)) * frame / RATE + 7 * random_unit(seed, 2, i));
    return .05 * sum * (.5 - .5 * cos(2 * M_PI * frame / 4000));
}

static void it_agrees_with_the_waveform(void **state)
{
    enum { LENGTH = 4000, DENSE = 64 };
    for (uint64_t seed = 1; seed <= 6; seed++) {
        double peak = 0;
        for (int i = 0; i < LENGTH * DENSE; i++)
            peak = fmax(peak, fabs(sum_of_tones((double)i / DENSE, seed)));
        for (size_t i = 0; i < LENGTH; i++)
            stereo[2 * i] = stereo[2 * i + 1] = (float)sum_of_tones((double)i, seed);
        double db = measured(stereo, LENGTH) - 20 * log10(peak);
        assert_true(db < .05 && db > -.4);
    }
}

// Where there is little above 16 kHz, as in music: its filter is half as long.
static void it_agrees_with_ebur128(void **state)
{
    for (double hz = 100; hz < 10000; hz *= 2.1) {
        tone(hz, .5, 1);
        assert_true(fabs(measured(stereo, FRAMES) - by_ebur128()) < .1);
    }
    for (uint64_t seed = 1; seed < 5; seed++) {
        memset(stereo, 0, sizeof stereo);
        signal_noise(stereo, FRAMES, 3000, 2, .3, seed);
        assert_true(fabs(measured(stereo, FRAMES) - by_ebur128()) < .1);
    }
}

static void pieces_are_as_the_whole(void **state)
{
    memset(stereo, 0, sizeof stereo);
    signal_noise(stereo, FRAMES, 24000, 0, .2, 9);
    struct true_peak meter;
    true_peak_init(&meter);
    for (size_t at = 0, n = 0; at < FRAMES; n++) {
        size_t piece = 1 + (size_t)random_below(1, 1, n, 500);
        piece = piece < FRAMES - at ? piece : FRAMES - at;
        true_peak_add(&meter, stereo + 2 * at, piece);
        at += piece;
    }
    assert_true(fabs(true_peak_dbtp(&meter) - measured(stereo, FRAMES)) < 1e-9);
}

static void the_last_sample_counts_and_silence_has_none(void **state)
{
    memset(stereo, 0, sizeof stereo);
    assert_true(measured(stereo, FRAMES) == -HUGE_VAL);
    assert_true(measured(stereo, 0) == -HUGE_VAL);
    stereo[2 * 99] = .5f;
    stereo[2 * 98] = .5f;
    stereo[2 * 5] = NAN;
    assert_true(measured(stereo, 100) > -5);
    assert_true(isfinite(measured(stereo, 100)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peak_between_the_samples_is_found),
        cmocka_unit_test(tones_of_every_pitch_have_their_peak),
        cmocka_unit_test(it_agrees_with_the_waveform),
        cmocka_unit_test(it_agrees_with_ebur128),
        cmocka_unit_test(pieces_are_as_the_whole),
        cmocka_unit_test(the_last_sample_counts_and_silence_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
