#include "score/scale.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void keys_echo_as_they_were_spelt(void **state)
{
    static const char *const pairs[][2] = {
        {"A", "A"}, {"a", "A"}, {"b", "B"}, {"bb", "Bb"}, {"C# minor", "C# minor"}, {"eB MAJOR", "Eb major"},
        {"g Minor", "G minor"}, {"F#", "F#"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct key key;
        char bytes[KEY_TEXT_BYTES];
        assert_true(key_from_text(pairs[i][0], &key));
        assert_string_equal(key_text(key, bytes), pairs[i][1]);
    }
}

static void other_texts_are_no_keys(void **state)
{
    static const char *const texts[] = {"", "H", "A#b", "A minor ", "Aminor", "A  minor", "A dorian", " A", "##", "1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct key key = {5, 1, KEY_MAJOR};
        assert_false(key_from_text(texts[i], &key));
        assert_int_equal(key.letter, 5);
        assert_int_equal(key.quality, KEY_MAJOR);
    }
}

static void tonics_are_pitch_classes(void **state)
{
    static const struct { const char *text; int tonic; } rows[] = {
        {"C", 0}, {"Cb", 11}, {"B#", 0}, {"A", 9}, {"Ab major", 8}, {"G#", 8}, {"F", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key key;
        assert_true(key_from_text(rows[i].text, &key));
        assert_int_equal(key_tonic(key), rows[i].tonic);
    }
}

static void degrees_go_on_by_octaves(void **state)
{
    assert_int_equal(mode_semitones(MODE_AEOLIAN, 6), 10);
    assert_int_equal(mode_semitones(MODE_AEOLIAN, 7), 12);
    assert_int_equal(mode_semitones(MODE_LYDIAN, 10), 18);
    assert_int_equal(mode_semitones(MODE_IONIAN, -1), -1);
    assert_int_equal(mode_semitones(MODE_AEOLIAN, -7), -12);
    assert_int_equal(mode_semitones(MODE_AEOLIAN, -8), -14);
}

static void each_mode_is_the_major_scale_from_its_degree(void **state)
{
    for (int mode = 0; mode < MODE_COUNT; mode++)
        for (int degree = 0; degree < 8; degree++)
            assert_int_equal(mode_semitones((enum mode)mode, degree),
                             mode_semitones(MODE_IONIAN, mode + degree) - mode_semitones(MODE_IONIAN, mode));
}

static void modes_are_told_apart_by_their_third(void **state)
{
    assert_true(mode_is_major(MODE_MIXOLYDIAN));
    assert_false(mode_is_major(MODE_LOCRIAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_echo_as_they_were_spelt),
        cmocka_unit_test(other_texts_are_no_keys),
        cmocka_unit_test(tonics_are_pitch_classes),
        cmocka_unit_test(degrees_go_on_by_octaves),
        cmocka_unit_test(each_mode_is_the_major_scale_from_its_degree),
        cmocka_unit_test(modes_are_told_apart_by_their_third),
    };
    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
