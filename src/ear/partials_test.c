#include "ear/partials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"
#include "ear/spectrum.h"
#include "ear/stft.h"

static float stereo[2 * SPECTRUM_SIZE];
static struct partials partials;

static void find(void *context, const double *power)
{
    partials_find(context, power);
}

static void clear(void)
{
    memset(stereo, 0, sizeof stereo);
}

static void measure(void)
{
    struct stft stft;
    assert_true(stft_init(&stft, SPECTRUM_SIZE, SPECTRUM_HOP));
    partials.count = -1;
    stft_add(&stft, stereo, SPECTRUM_SIZE, find, &partials);
    stft_finish(&stft);
    assert_true(partials.count >= 0);
}

static void tones_are_found_where_they_are(void **state)
{
    for (double hz = 60; hz < 7000; hz *= 1.618) {
        clear();
        signal_sine(stereo, SPECTRUM_SIZE, hz, .25);
        signal_sine(stereo, SPECTRUM_SIZE, hz + 55, .05);
        measure();
        assert_true(partials.count >= 2);
        assert_true(fabs(partials.items[0].hz - hz) < .5 && fabs(partials.items[1].hz - hz - 55) < 1);
        assert_true(fabs(partials.items[0].amplitude / .25 - 1) < .08);
        assert_true(fabs(partials.items[1].amplitude / .05 - 1) < .12);
    }
}

static void of_many_the_strongest_are_kept_in_order(void **state)
{
    clear();
    for (int i = 0; i < 60; i++)
        signal_sine(stereo, SPECTRUM_SIZE, 100.5 + 101.3 * i, .004 + .0004 * ((i * 37) % 60));
    measure();
    assert_int_equal(partials.count, PARTIALS_MAX);
    for (int i = 1; i < PARTIALS_MAX; i++)
        assert_true(partials.items[i].amplitude <= partials.items[i - 1].amplitude);
    assert_true(partials.items[PARTIALS_MAX - 1].amplitude > .012);
}

static double roughness(const double *hz, int count)
{
    partials.count = count;
    for (int i = 0; i < count; i++)
        partials.items[i] = (struct partial){.hz = hz[i], .amplitude = .1};
    return partials_roughness(&partials);
}

// The curve of two tones: none at unison, most at about a quarter of the critical band, little from a third on.
static void two_tones_are_as_plomp_and_levelt_heard(void **state)
{
    double most = 0, where = 0;
    for (double apart = 0; apart < 300; apart += .5) {
        double rough = roughness((double[]){500, 500 + apart}, 2);
        where = rough > most ? apart : where;
        most = fmax(most, rough);
    }
    assert_true(roughness((double[]){500, 500}, 2) == 0 && roughness((double[]){500}, 1) == 0);
    assert_true(most > .44 && most < .46 && fabs(where - 26.9) < 1);
    assert_true(roughness((double[]){500, 750}, 2) < most / 10);
    assert_true(roughness((double[]){100, 120}, 2) > roughness((double[]){100, 200}, 2));
}

static void a_second_is_rougher_than_a_fifth_than_an_octave(void **state)
{
    double chord[12], rough[3];
    static const double intervals[] = {16. / 15, 3. / 2, 2};
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < 6; i++) {
            chord[2 * i] = 220 * (i + 1);
            chord[2 * i + 1] = 220 * intervals[n] * (i + 1);
        }
        rough[n] = roughness(chord, 12);
    }
    assert_true(rough[0] > 1.5 * rough[1] && rough[1] > 1.2 * rough[2]);
}

static void roughness_is_one_of_sounds_not_of_levels(void **state)
{
    clear();
    signal_sine(stereo, SPECTRUM_SIZE, 440, .1);
    signal_sine(stereo, SPECTRUM_SIZE, 466.2, .1);
    measure();
    double loud = partials_roughness(&partials);
    for (size_t i = 0; i < 2 * SPECTRUM_SIZE; i++)
        stereo[i] /= 10;
    measure();
    assert_true(loud > .4 && fabs(partials_roughness(&partials) - loud) < .01);
}

static void classes_of_a_chord(void **state)
{
    double chroma[PARTIALS_CLASSES] = {0};
    clear();
    signal_sine(stereo, SPECTRUM_SIZE, 261.626, .1);
    signal_sine(stereo, SPECTRUM_SIZE, 329.628, .1);
    signal_sine(stereo, SPECTRUM_SIZE, 783.991, .1);
    measure();
    partials_add_chroma(&partials, chroma);
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        assert_true(i == 0 || i == 4 || i == 7 ? chroma[i] > .08 : chroma[i] < .02);
}

static void silence_has_none(void **state)
{
    clear();
    measure();
    assert_int_equal(partials.count, 0);
    assert_true(partials_roughness(&partials) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tones_are_found_where_they_are),
        cmocka_unit_test(of_many_the_strongest_are_kept_in_order),
        cmocka_unit_test(two_tones_are_as_plomp_and_levelt_heard),
        cmocka_unit_test(a_second_is_rougher_than_a_fifth_than_an_octave),
        cmocka_unit_test(roughness_is_one_of_sounds_not_of_levels),
        cmocka_unit_test(classes_of_a_chord),
        cmocka_unit_test(silence_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
