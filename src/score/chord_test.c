#include "score/chord.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static uint16_t bits(int a, int b, int c, int d)
{
    return (uint16_t)(1 << a | 1 << b | 1 << c | (d < 0 ? 0 : 1 << d));
}

static void tones_turn_round_the_octave(void **state)
{
    assert_int_equal(chord_tones(0, CHORD_MAJOR), bits(0, 4, 7, -1));
    assert_int_equal(chord_tones(9, CHORD_MINOR), bits(9, 0, 4, -1));
    assert_int_equal(chord_tones(11, CHORD_HALF_DIMINISHED), bits(11, 2, 5, 9));
    assert_int_equal(chord_tones(7, CHORD_DOM7), bits(7, 11, 2, 5));
    for (int root = 0; root < 12; root++)
        for (int quality = 0; quality < CHORD_QUALITIES; quality++)
            assert_in_range(__builtin_popcount(chord_tones(root, (enum chord_quality)quality)), 3, 4);
}

static void names_are_spelt_both_ways(void **state)
{
    char bytes[CHORD_NAME_BYTES];
    struct chord chord = {.root = 6, .quality = CHORD_MIN7};
    assert_string_equal(chord_name(chord, 0, bytes), "F#m7");
    assert_string_equal(chord_name(chord, 1, bytes), "Gbm7");
    chord.root = 0;
    for (int quality = 0; quality < CHORD_QUALITIES; quality++) {
        chord.quality = (uint8_t)quality;
        assert_int_equal(chord_name(chord, 1, bytes)[0], 'C');
        assert_in_range(strlen(bytes), 1, CHORD_NAME_BYTES - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tones_turn_round_the_octave),
        cmocka_unit_test(names_are_spelt_both_ways),
    };
    return cmocka_run_group_tests_name("chord", tests, NULL, NULL);
}
