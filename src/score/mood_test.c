#include "score/mood.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void defaults_are_the_table(void **state)
{
    struct mood mood = mood_default();
    char bytes[KEY_TEXT_BYTES];
    assert_string_equal(key_text(mood.key, bytes), "A");
    assert_int_equal(mood.mode, MODE_AEOLIAN);
    assert_int_equal(mood.bpm, 70);
    assert_true(mood.intensity == .5 && mood.melody_complexity == .5);
    assert_true(mood.enable_pads && mood.enable_melody && mood.enable_kicks && mood.enable_swells);
}

static void the_table_points_at_the_fields(void **state)
{
    struct mood mood = mood_default();
    assert_int_equal(MOOD_PARAMETERS, 20);
    const struct mood_parameter *bpm = &mood_parameters[MOOD_ID_bpm];
    assert_string_equal(bpm->name, "bpm");
    assert_int_equal(bpm->kind, MOOD_KIND_INTEGER);
    assert_true(bpm->min == 40 && bpm->max == 120);
    assert_string_equal(bpm->unit, "bpm");
    assert_int_equal(*(int *)(void *)((char *)&mood + bpm->offset), 70);
    const struct mood_parameter *unit = &mood_parameters[MOOD_ID_harmonic_density];
    assert_int_equal(unit->kind, MOOD_KIND_UNIT);
    assert_true(unit->min == 0 && unit->max == 1);
    assert_ptr_equal((char *)&mood + unit->offset, &mood.harmonic_density);
}

// Applies key and mode, either of them NULL or negative for "not in the patch".
static struct mood apply(struct mood mood, const char *key, int mode)
{
    struct mood_patch patch = {0};
    if (key) {
        assert_true(key_from_text(key, &patch.values.key));
        patch.set |= 1u << MOOD_ID_key;
    }
    if (mode >= 0) {
        patch.values.mode = (enum mode)mode;
        patch.set |= 1u << MOOD_ID_mode;
    }
    return mood_apply(&mood, &patch);
}

static void key_and_mode_stay_true_to_each_other(void **state)
{
    struct mood mood = mood_default();
    assert_int_equal(apply(mood, "C major", -1).mode, MODE_IONIAN);
    assert_int_equal(apply(apply(mood, "C major", -1), "D", -1).mode, MODE_AEOLIAN);
    struct mood dorian = apply(mood, NULL, MODE_DORIAN);
    assert_int_equal(dorian.key.quality, KEY_BARE);
    assert_int_equal(apply(dorian, "E minor", -1).mode, MODE_DORIAN);
    assert_int_equal(apply(mood, NULL, MODE_LYDIAN).key.quality, KEY_MAJOR);
    assert_int_equal(apply(apply(mood, NULL, MODE_LYDIAN), NULL, MODE_PHRYGIAN).key.quality, KEY_MINOR);
    struct mood both = apply(mood, "F minor", MODE_MIXOLYDIAN);
    assert_int_equal(both.mode, MODE_MIXOLYDIAN);
    assert_int_equal(both.key.quality, KEY_MAJOR);
    assert_int_equal(key_tonic(both.key), 5);
}

static void only_what_is_set_is_taken(void **state)
{
    struct mood mood = mood_default();
    struct mood_patch patch = {.set = 1u << MOOD_ID_bpm | 1u << MOOD_ID_enable_pads,
                               .values = {.bpm = 99, .intensity = 1, .enable_pads = false}};
    struct mood changed = mood_apply(&mood, &patch);
    assert_int_equal(changed.bpm, 99);
    assert_false(changed.enable_pads);
    assert_true(changed.intensity == .5 && changed.enable_melody);
    assert_int_equal(mood_difference(&mood, &changed), patch.set);
}

static void differences_name_each_parameter(void **state)
{
    struct mood mood = mood_default(), other = mood;
    assert_int_equal(mood_difference(&mood, &other), 0);
    other.key.quality = KEY_MINOR;
    assert_int_equal(mood_difference(&mood, &other), 1u << MOOD_ID_key);
    other = mood;
    other.mode = MODE_LOCRIAN;
    other.chord_progression_variety = .51;
    assert_int_equal(mood_difference(&mood, &other), 1u << MOOD_ID_mode | 1u << MOOD_ID_chord_progression_variety);
    other = mood;
    other.enable_swells = false;
    assert_int_equal(mood_difference(&mood, &other), 1u << MOOD_ID_enable_swells);
}

static void a_hash_tells_each_parameter(void **state)
{
    struct mood mood = mood_default(), others[] = {mood, mood, mood, mood, mood, mood, mood, mood};
    others[0].key.accidental = 1;
    others[1].key.quality = others[1].key.quality == KEY_MINOR ? KEY_MAJOR : KEY_MINOR;
    others[2].mode = MODE_LOCRIAN;
    others[3].bpm++;
    others[4].intensity += 1e-12;
    others[5].enable_pads = !mood.enable_pads;
    others[6].scene++;
    others[7].tuning++;
    assert_true(mood_hash(&mood, 1) == mood_hash(&mood, 1));
    assert_true(mood_hash(&mood, 1) != mood_hash(&mood, 2));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(mood_hash(&others[i], 1) != mood_hash(&mood, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_table),
        cmocka_unit_test(the_table_points_at_the_fields),
        cmocka_unit_test(key_and_mode_stay_true_to_each_other),
        cmocka_unit_test(only_what_is_set_is_taken),
        cmocka_unit_test(differences_name_each_parameter),
        cmocka_unit_test(a_hash_tells_each_parameter),
    };
    return cmocka_run_group_tests_name("mood", tests, NULL, NULL);
}
