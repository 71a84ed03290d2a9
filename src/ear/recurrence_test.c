// Music that comes back, and how the signatures of two pieces differ.
#include "ear/recurrence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "base/random.h"

enum { PIECES = 60 };

static const double window_s = (double)SPECTRUM_HOP / FRAME_RATE;

// The material number `number` sounds for one window: a chord of three and a colour.
static void window_of(uint64_t number, struct partials *partials, double *bands)
{
    partials->count = 3;
    for (int i = 0; i < 3; i++) {
        double note = 48 + 24 * random_unit(number, 1, (uint64_t)i);
        partials->items[i] = (struct partial){.hz = 440 * pow(2, (note - 69) / 12), .amplitude = .1};
    }
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        bands[i] = 1e-4 * pow(10, -i / 10. + 2 * random_unit(number, 2, (uint64_t)i));
}

// Each piece of 5 s has material of its own, and from `again` on that of the beginning once more, when it is not 0.
static struct recurrence measured(int pieces, int again)
{
    struct recurrence_meter meter = {.filled = 0};
    struct partials partials;
    double bands[SPECTRUM_BANDS];
    for (int piece = 0; piece < pieces; piece++) {
        window_of((uint64_t)(again && piece >= again ? piece - again : piece), &partials, bands);
        for (int i = 0; i < RECURRENCE_PIECE_WINDOWS; i++)
            recurrence_add(&meter, &partials, bands);
    }
    struct recurrence recurrence = recurrence_read(&meter);
    recurrence_finish(&meter);
    return recurrence;
}

static void what_comes_back_is_found_with_its_lag(void **state)
{
    struct recurrence recurrence = measured(PIECES, 25);
    assert_true(recurrence.similarity > .999);
    assert_true(fabs(recurrence.lag_s - 25 * RECURRENCE_PIECE_WINDOWS * window_s) < .01);
}

static void what_is_always_new_is_not_alike(void **state)
{
    assert_true(measured(PIECES, 0).similarity < .85);
}

static void what_comes_back_within_a_minute_does_not_count(void **state)
{
    assert_true(measured(11 + 5, 11).similarity < .85);
    assert_true(measured(12 + 5, 12).similarity > .999);
}

static void short_and_unchanging_material_has_no_answer(void **state)
{
    struct recurrence_meter meter = {.filled = 0};
    struct partials partials;
    double bands[SPECTRUM_BANDS];
    assert_true(isnan(measured(15, 0).similarity) && isnan(measured(0, 0).similarity));
    window_of(1, &partials, bands);
    for (int i = 0; i < PIECES * RECURRENCE_PIECE_WINDOWS; i++)
        recurrence_add(&meter, &partials, bands);
    assert_true(isnan(recurrence_read(&meter).similarity));
    recurrence_finish(&meter);
}

static struct signature signature_of(uint64_t number, double gain)
{
    struct signature signature = {{0}, {0}};
    struct partials partials;
    double bands[SPECTRUM_BANDS];
    window_of(number, &partials, bands);
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        bands[i] *= gain * gain;
    for (int i = 0; i < partials.count; i++)
        partials.items[i].amplitude *= gain;
    signature_add(&signature, &partials, bands);
    return signature;
}

static void distances_are_none_of_level(void **state)
{
    struct signature one = signature_of(1, 1), quiet = signature_of(1, .1), other = signature_of(2, 1);
    assert_true(signature_chroma_distance(&one, &quiet) < 1e-9);
    assert_true(signature_timbre_distance_db(&one, &quiet) < 1e-9);
    assert_true(signature_chroma_distance(&one, &other) > .2);
    assert_true(signature_timbre_distance_db(&one, &other) > 4);
    assert_true(signature_timbre_distance_db(&one, &other) == signature_timbre_distance_db(&other, &one));
}

static void a_band_is_ten_decibels_louder(void **state)
{
    struct signature one = signature_of(1, 1), other = one;
    double vector[SIGNATURE_COUNT], all = 0;
    other.bands[27] *= 10;
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        all += one.bands[i];
    double share = other.bands[27] / all;
    assert_true(share < .05);
    assert_true(fabs(signature_timbre_distance_db(&one, &other) - 10 / sqrt(SPECTRUM_BANDS)) < .1);
    signature_vector(&(struct signature){{0}, {0}}, vector);
    for (int i = 0; i < SIGNATURE_COUNT; i++)
        assert_true(vector[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_back_is_found_with_its_lag),
        cmocka_unit_test(what_is_always_new_is_not_alike),
        cmocka_unit_test(what_comes_back_within_a_minute_does_not_count),
        cmocka_unit_test(short_and_unchanging_material_has_no_answer),
        cmocka_unit_test(distances_are_none_of_level),
        cmocka_unit_test(a_band_is_ten_decibels_louder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
