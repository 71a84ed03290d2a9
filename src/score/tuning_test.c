#include "score/tuning.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-9)
        fail_msg("%.12f is not %.12f", a, b);
}

static void the_tables_are_their_ratios(void **state)
{
    static const struct {
        const char *name;
        int place, ratios[TUNING_CLASSES][2];
    } rows[] = {
        {"just", TUNING_JUST,
         {{1, 1}, {16, 15}, {9, 8}, {6, 5}, {5, 4}, {4, 3}, {45, 32}, {3, 2}, {8, 5}, {5, 3}, {9, 5}, {15, 8}}},
        {"pythagorean", TUNING_PYTHAGOREAN,
         {{1, 1}, {256, 243}, {9, 8}, {32, 27}, {81, 64}, {4, 3}, {729, 512}, {3, 2}, {128, 81}, {27, 16}, {16, 9},
          {243, 128}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct tuning *tuning = &tunings[rows[i].place];
        assert_string_equal(tuning->name, rows[i].name);
        for (int n = 0; n < TUNING_CLASSES; n++)
            assert_near(tuning->offset_cents[n] + 100 * n,
                        1200 * log2((double)rows[i].ratios[n][0] / rows[i].ratios[n][1]));
    }
}

static void equal_temperament_moves_nothing(void **state)
{
    assert_string_equal(tunings[TUNING_EQUAL].name, "equal");
    for (int tonic = 0; tonic < 12; tonic++)
        for (double midi = 0; midi < 128; midi += .25)
            assert_true(tuning_pitch(&tunings[0], tonic, midi) == midi);
}

static void the_tonic_stays_and_octaves_are_pure(void **state)
{
    for (int i = 0; i < tuning_count; i++) {
        for (int tonic = 0; tonic < 12; tonic++) {
            for (int midi = tonic; midi < 128; midi += 12)
                assert_true(tuning_pitch(&tunings[i], tonic, midi) == midi);
            for (int midi = 0; midi < 115; midi++)
                assert_near(tuning_pitch(&tunings[i], tonic, midi + 12) - tuning_pitch(&tunings[i], tonic, midi), 12);
        }
    }
}

static void intervals_are_seen_from_the_tonic(void **state)
{
    const struct tuning *just = &tunings[TUNING_JUST];
    assert_near(tuning_pitch(just, 9, 73) - 69, 12 * log2(5.0 / 4));     // C# over A
    assert_near(tuning_pitch(just, 9, 64) - 69, 12 * log2(3.0 / 4));     // E below it
    assert_near(tuning_pitch(just, 0, 69) - 60, 12 * log2(5.0 / 3));     // A over C
    assert_near(tuning_pitch(just, 11, 60) - 59, 12 * log2(16.0 / 15));  // C over B
}

static void what_lies_between_keeps_its_distance(void **state)
{
    const struct tuning *just = &tunings[TUNING_JUST];
    assert_near(tuning_pitch(just, 9, 73.25) - tuning_pitch(just, 9, 73), .25);
    assert_near(tuning_pitch(just, 9, 72.75) - tuning_pitch(just, 9, 73), -.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_their_ratios),          cmocka_unit_test(equal_temperament_moves_nothing),
        cmocka_unit_test(the_tonic_stays_and_octaves_are_pure), cmocka_unit_test(intervals_are_seen_from_the_tonic),
        cmocka_unit_test(what_lies_between_keeps_its_distance),
    };
    return cmocka_run_group_tests_name("tuning", tests, NULL, NULL);
}
