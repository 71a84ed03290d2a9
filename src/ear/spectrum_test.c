// Spectra, and what the transform makes of tones and noise.
#include "ear/spectrum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"
#include "ear/stft.h"

enum { FRAMES = 20 * 48000 };

static float stereo[2 * FRAMES];
static struct spectrum spectrum;

static void add(void *context, const double *power)
{
    spectrum_add(context, power);
}

static void measure(size_t frames, size_t piece)
{
    struct stft stft;
    memset(&spectrum, 0, sizeof spectrum);
    assert_true(stft_init(&stft, SPECTRUM_SIZE, SPECTRUM_HOP));
    for (size_t at = 0; at < frames; at += piece)
        stft_add(&stft, stereo + 2 * at, piece < frames - at ? piece : frames - at, add, &spectrum);
    stft_finish(&stft);
}

static double total(void)
{
    double sum = 0;
    for (int bin = 0; bin < SPECTRUM_BINS; bin++)
        sum += spectrum.power[bin];
    return sum / (double)spectrum.windows;
}

// Six decibels per octave down from 50 Hz on for each pole.
static void noise(int poles)
{
    memset(stereo, 0, sizeof stereo);
    signal_noise(stereo, FRAMES, poles ? 50 : 24000, poles, .3, 4);
}

static void the_sum_is_the_mean_square(void **state)
{
    memset(stereo, 0, sizeof stereo);
    signal_sine(stereo, FRAMES, 1000, .5);
    measure(FRAMES, FRAMES);
    assert_int_equal(spectrum.windows, (FRAMES - SPECTRUM_SIZE) / SPECTRUM_HOP + 1);
    assert_true(fabs(total() - .125) < 1e-4);
    for (size_t i = 0; i < FRAMES; i++)
        stereo[2 * i] = 0;
    measure(FRAMES, FRAMES);
    assert_true(fabs(total() - .0625) < 1e-4);
    noise(0);
    measure(FRAMES, FRAMES);
    assert_true(fabs(total() - .09) < .002);
}

static void pieces_are_as_the_whole(void **state)
{
    static struct spectrum whole;
    noise(0);
    measure(50000, 50000);
    whole = spectrum;
    measure(50000, 1237);
    assert_memory_equal(&whole, &spectrum, sizeof whole);
}

static void slopes_of_noise_are_those_of_its_filter(void **state)
{
    noise(0);
    measure(FRAMES, FRAMES);
    assert_true(fabs(spectrum_slope_db_per_octave(&spectrum)) < .1);
    assert_true(fabs(spectrum_flatness_db(&spectrum)) < .2);
    noise(1);
    measure(FRAMES, FRAMES);
    assert_true(fabs(spectrum_slope_db_per_octave(&spectrum) + 6) < .3);
}

static void a_tone_has_its_place(void **state)
{
    memset(stereo, 0, sizeof stereo);
    signal_sine(stereo, FRAMES, 440, .3);
    measure(FRAMES, FRAMES);
    assert_true(fabs(spectrum_centroid_hz(&spectrum) - 440) < 1);
    assert_true(fabs(spectrum_zone_db(&spectrum, ZONE_MIDDLE)) < .01);
    assert_true(spectrum_zone_db(&spectrum, ZONE_HIGH) < -80);
    assert_true(spectrum_flatness_db(&spectrum) < -60);
    signal_sine(stereo, FRAMES, 4400, .3);
    measure(FRAMES, FRAMES);
    assert_true(fabs(spectrum_zone_db(&spectrum, ZONE_HIGH) + 3.01) < .01);
    assert_true(fabs(spectrum_centroid_hz(&spectrum) - 2420) < 2);
}

static void bands_share_out_the_power(void **state)
{
    double bands[SPECTRUM_BANDS], sum = 0;
    assert_true(fabs(spectrum_band_hz(15) - 1000) < 1e-9 && fabs(spectrum_band_hz(0) - 31.6) < .1);
    noise(0);
    measure(FRAMES, FRAMES);
    spectrum_bands(spectrum.power, bands);
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        sum += bands[i];
    double covered = spectrum_within(spectrum.power, spectrum_band_hz(0) / 1.12202, spectrum_band_hz(27) * 1.12202);
    assert_true(fabs(sum / covered - 1) < 1e-4);
    assert_true(fabs(10 * log10(bands[20] / bands[17]) - 3) < .3);
}

static void silence_has_no_shape(void **state)
{
    memset(stereo, 0, sizeof stereo);
    measure(FRAMES, FRAMES);
    assert_true(isnan(spectrum_slope_db_per_octave(&spectrum)) && isnan(spectrum_centroid_hz(&spectrum)));
    assert_true(isnan(spectrum_flatness_db(&spectrum)) && isnan(spectrum_zone_db(&spectrum, ZONE_LOW)));
    measure(SPECTRUM_SIZE - 1, SPECTRUM_SIZE);
    assert_int_equal(spectrum.windows, 0);
    assert_true(isnan(spectrum_slope_db_per_octave(&spectrum)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_the_mean_square), cmocka_unit_test(pieces_are_as_the_whole),
        cmocka_unit_test(slopes_of_noise_are_those_of_its_filter), cmocka_unit_test(a_tone_has_its_place),
        cmocka_unit_test(bands_share_out_the_power), cmocka_unit_test(silence_has_no_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
