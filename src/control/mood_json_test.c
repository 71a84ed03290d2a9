#include "control/mood_json.h"
#include "score/scene.h"
#include "score/tuning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mood_refusal refusal;

static enum status read_text(const char *text, const char *const *ignored, struct mood_patch *patch)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    enum status status = mood_patch_from_json(json, ignored, patch, &refusal);
    json_decref(json);
    return status;
}

static void test_every_parameter_is_read(void **state)
{
    struct mood_patch patch;
    assert_int_equal(read_text("{\"scene\":\"sleep\",\"morph_seconds\":7,\"brightness\":0.1,\"space\":0.2,"
                               "\"warmth\":0.3,\"texture\":0.4,\"follow_day\":true,\"freeze\":true,\"tuning\":\"just\","
                               "\"key\":\"Eb MAJOR\",\"mode\":\"lydian\",\"bpm\":120,\"intensity\":0,"
                               "\"melody_complexity\":1,\"chord_progression_variety\":0.25,\"harmonic_density\":1e-3,"
                               "\"enable_pads\":false,\"enable_melody\":false,\"enable_kicks\":false,"
                               "\"enable_swells\":true}", NULL, &patch), STATUS_OK);
    assert_int_equal(patch.set, (1u << MOOD_PARAMETERS) - 1);
    assert_int_equal(patch.values.key.letter, 4);
    assert_int_equal(patch.values.key.accidental, -1);
    assert_int_equal(patch.values.key.quality, KEY_MAJOR);
    assert_int_equal(patch.values.mode, MODE_LYDIAN);
    assert_int_equal(patch.values.bpm, 120);
    assert_true(patch.values.intensity == 0 && patch.values.melody_complexity == 1);
    assert_true(patch.values.chord_progression_variety == .25 && patch.values.harmonic_density == .001);
    assert_false(patch.values.enable_pads || patch.values.enable_melody || patch.values.enable_kicks);
    assert_true(patch.values.enable_swells);
    assert_string_equal(scenes[patch.values.scene].name, "sleep");
    assert_int_equal(patch.values.morph_seconds, 7);
    assert_int_equal(patch.values.tuning, TUNING_JUST);
    assert_true(patch.values.freeze);
    assert_true(patch.values.brightness == .1 && patch.values.space == .2);
    assert_true(patch.values.warmth == .3 && patch.values.texture == .4);
}

static enum status read_choice(enum mood_id id, const char *name, struct mood_patch *patch)
{
    char json[100];
    snprintf(json, sizeof json, "{\"%s\":\"%s\"}", mood_parameters[id].name, name);
    return read_text(json, NULL, patch);
}

static void test_names_are_read_to_their_places(void **state)
{
    const struct {
        enum mood_id id;
        int count;
        const char *no_name;
    } rows[] = {{MOOD_ID_scene, scene_count, "Drift"}, {MOOD_ID_mode, MODE_COUNT, "Dorian"},
                {MOOD_ID_tuning, tuning_count, "Just"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct mood_parameter *parameter = &mood_parameters[rows[i].id];
        struct mood_patch patch;
        const int *place = (const int *)((const char *)&patch.values + parameter->offset);
        for (int n = 0; n < rows[i].count; n++) {
            assert_int_equal(read_choice(rows[i].id, mood_choice(parameter->kind, n), &patch), STATUS_OK);
            assert_int_equal(*place, n);
        }
        assert_null(mood_choice(parameter->kind, rows[i].count));
        assert_null(mood_choice(parameter->kind, -1));
        assert_int_equal(read_choice(rows[i].id, rows[i].no_name, &patch), STATUS_INVALID);
        assert_int_equal(read_choice(rows[i].id, "", &patch), STATUS_INVALID);
    }
    assert_null(mood_choice(MOOD_KIND_UNIT, 0));
}

// All that it is, but for what stands beside it, in whatever order; how long the way takes is the listener's own.
static void test_a_scene_brings_its_values(void **state)
{
    struct mood_patch patch;
    const struct scene *sleep = scene_find("sleep");
    struct mood wanted = scene_mood(sleep);
    assert_int_equal(read_text("{\"scene\":\"sleep\"}", NULL, &patch), STATUS_OK);
    assert_int_equal(patch.set, ((1u << MOOD_PARAMETERS) - 1) &
                                ~(1u << MOOD_ID_morph_seconds | 1u << MOOD_ID_tuning));
    assert_int_equal(mood_difference(&patch.values, &wanted), 0);
    assert_int_equal(read_text("{\"bpm\":99,\"scene\":\"sleep\"}", NULL, &patch), STATUS_OK);
    wanted.bpm = 99;
    assert_int_equal(mood_difference(&patch.values, &wanted), 0);
    assert_int_equal(read_text("{\"scene\":\"nowhere\"}", NULL, &patch), STATUS_INVALID);
    assert_int_equal(read_text("{\"scene\":3}", NULL, &patch), STATUS_INVALID);
}

static void test_absent_fields_are_not_set(void **state)
{
    struct mood_patch patch;
    assert_int_equal(read_text("{}", NULL, &patch), STATUS_OK);
    assert_int_equal(patch.set, 0);
    assert_int_equal(read_text("{\"bpm\":40}", NULL, &patch), STATUS_OK);
    assert_int_equal(patch.set, 1u << MOOD_ID_bpm);
}

static void test_what_is_wrong_is_refused_by_name(void **state)
{
    static const struct {
        const char *json, *field, *value;
    } cases[] = {
        {"{\"bpm\":39}", "bpm", "39"},
        {"{\"bpm\":121}", "bpm", "121"},
        {"{\"bpm\":0}", "bpm", "0"},
        {"{\"bpm\":-70}", "bpm", "-70"},
        {"{\"bpm\":70.0}", "bpm", "70.0"},
        {"{\"bpm\":7e1}", "bpm", "70.0"},
        {"{\"bpm\":\"70\"}", "bpm", "\"70\""},
        {"{\"bpm\":true}", "bpm", "true"},
        {"{\"bpm\":null}", "bpm", "null"},
        {"{\"bpm\":4294967366}", "bpm", "4294967366"},
        {"{\"bpm\":9223372036854775807}", "bpm", "9223372036854775807"},
        {"{\"intensity\":1.0000001}", "intensity", "1.0000001"},
        {"{\"intensity\":-0.1}", "intensity", "-0.1"},
        {"{\"intensity\":2}", "intensity", "2"},
        {"{\"intensity\":\"0.5\"}", "intensity", "\"0.5\""},
        {"{\"intensity\":\"NaN\"}", "intensity", "\"NaN\""},
        {"{\"intensity\":false}", "intensity", "false"},
        {"{\"intensity\":[0.5]}", "intensity", "[0.5]"},
        {"{\"intensity\":{}}", "intensity", "{}"},
        {"{\"enable_pads\":1}", "enable_pads", "1"},
        {"{\"enable_pads\":\"true\"}", "enable_pads", "\"true\""},
        {"{\"enable_pads\":null}", "enable_pads", "null"},
        {"{\"key\":\"H\"}", "key", "\"H\""},
        {"{\"key\":\"\"}", "key", "\"\""},
        {"{\"key\":\"A  minor\"}", "key", "\"A  minor\""},
        {"{\"key\":\"A minor \"}", "key", "\"A minor \""},
        {"{\"key\":\"C##\"}", "key", "\"C##\""},
        {"{\"key\":\"A\\u0000\"}", "key", "\"A\\u0000\""},
        {"{\"key\":5}", "key", "5"},
        {"{\"mode\":\"blues\"}", "mode", "\"blues\""},
        {"{\"mode\":0}", "mode", "0"},
        {"{\"tuning\":\"meantone\"}", "tuning", "\"meantone\""},
        {"{\"tuning\":1}", "tuning", "1"},
        {"{\"tempo\":70}", "tempo", "70"},
        {"{\"BPM\":70}", "BPM", "70"},
        {"{\"\":70}", "", "70"},
        {"[]", "", "[]"},
        {"70", "", "70"},
        {"null", "", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mood_patch patch = {.set = 12345, .values.bpm = 99}, before = patch;
        assert_int_equal(read_text(cases[i].json, NULL, &patch), STATUS_INVALID);
        assert_string_equal(refusal.field, cases[i].field);
        assert_string_equal(refusal.value, cases[i].value);
        assert_true(strlen(refusal.constraint) > 5);
        assert_int_equal(patch.set, before.set);
        assert_int_equal(patch.values.bpm, 99);
    }
}

static void test_one_wrong_field_spoils_all(void **state)
{
    struct mood_patch patch = {.set = 0};
    assert_int_equal(read_text("{\"intensity\":0.9,\"bpm\":0,\"enable_pads\":false}", NULL, &patch), STATUS_INVALID);
    assert_int_equal(patch.set, 0);
    assert_string_equal(refusal.field, "bpm");
    assert_string_equal(refusal.constraint, "an integer from 40 to 120");
}

static void test_rules_are_told_in_words(void **state)
{
    struct mood_patch patch;
    assert_int_equal(read_text("{\"intensity\":7}", NULL, &patch), STATUS_INVALID);
    assert_string_equal(refusal.constraint, "a number from 0.0 to 1.0");
    assert_int_equal(read_text("{\"mode\":\"x\"}", NULL, &patch), STATUS_INVALID);
    assert_string_equal(refusal.constraint,
                        "one of ionian, dorian, phrygian, lydian, mixolydian, aeolian, locrian");
    assert_int_equal(read_text("{\"key\":\"x\"}", NULL, &patch), STATUS_INVALID);
    assert_true(refusal.constraint[strlen(refusal.constraint) - 1] == '"');
}

static void test_ignored_keys_are_the_callers(void **state)
{
    static const char *const ignored[] = {"type", "id", NULL};
    struct mood_patch patch;
    assert_int_equal(read_text("{\"type\":\"control\",\"id\":[1],\"bpm\":80}", ignored, &patch), STATUS_OK);
    assert_int_equal(patch.set, 1u << MOOD_ID_bpm);
    assert_int_equal(read_text("{\"type\":\"control\"}", NULL, &patch), STATUS_INVALID);
    assert_string_equal(refusal.field, "type");
}

static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static void test_long_fields_and_values_are_cut_between_characters(void **state)
{
    for (int lead = 0; lead < 4; lead++) {
        char json[400] = "{\"";
        for (int i = 0; i < lead; i++)
            strcat(json, "x");
        for (int i = 0; i < 40; i++)
            strcat(json, "\xf0\x9f\x8e\xb5");
        strcat(json, "\":\"");
        for (int i = 0; i < 40 + lead; i++)
            strcat(json, "\xe2\x99\xaa");
        strcat(json, "\"}");
        struct mood_patch patch;
        assert_int_equal(read_text(json, NULL, &patch), STATUS_INVALID);
        assert_true(is_utf8(refusal.field) && strlen(refusal.field) >= 44 && strlen(refusal.field) < 48);
        assert_true(is_utf8(refusal.value) && strlen(refusal.value) >= 60 && strlen(refusal.value) < 64);
    }
}

static void assert_key_echo(const char *given, const char *echoed)
{
    struct mood_patch patch;
    char json[64];
    snprintf(json, sizeof json, "{\"key\":\"%s\"}", given);
    assert_int_equal(read_text(json, NULL, &patch), STATUS_OK);
    struct mood mood = mood_default();
    mood.key = patch.values.key;
    json_t *value = mood_value_to_json(&mood, MOOD_ID_key);
    assert_string_equal(json_string_value(value), echoed);
    json_decref(value);
}

static void test_keys_come_back_in_one_spelling(void **state)
{
    assert_key_echo("A", "A");
    assert_key_echo("a MINOR", "A minor");
    assert_key_echo("c# Major", "C# major");
    assert_key_echo("BB", "Bb");
    assert_key_echo("bb minor", "Bb minor");
}

static void test_all_parameters_go_there_and_back(void **state)
{
    struct mood mood = mood_default();
    mood.bpm = 111;
    mood.intensity = .1234567890123;
    mood.mode = MODE_LOCRIAN;
    mood.enable_kicks = false;
    json_t *json = mood_to_json(&mood);
    assert_int_equal(json_object_size(json), MOOD_PARAMETERS);
    struct mood_patch patch;
    assert_int_equal(mood_patch_from_json(json, NULL, &patch, &refusal), STATUS_OK);
    assert_int_equal(patch.set, (1u << MOOD_PARAMETERS) - 1);
    assert_int_equal(mood_difference(&patch.values, &mood), 0);
    json_decref(json);
}

static void test_the_default_reads_as_promised(void **state)
{
    struct mood mood = mood_default();
    json_t *json = mood_to_json(&mood);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"scene\":\"drift\",\"morph_seconds\":30,\"key\":\"A\",\"mode\":\"aeolian\","
                              "\"tuning\":\"equal\",\"bpm\":70,"
                              "\"intensity\":0.5,\"melody_complexity\":0.5,\"chord_progression_variety\":0.5,"
                              "\"harmonic_density\":0.5,"
                              "\"brightness\":0.5,\"space\":0.5,\"warmth\":0.5,\"texture\":0.25,"
                              "\"freeze\":false,\"follow_day\":false,"
                              "\"enable_pads\":true,\"enable_melody\":true,\"enable_kicks\":true,"
                              "\"enable_swells\":true}");
    free(text);
    json_decref(json);
}

static void test_negative_zero_is_zero(void **state)
{
    struct mood_patch patch;
    assert_int_equal(read_text("{\"intensity\":-0.0}", NULL, &patch), STATUS_OK);
    assert_false(__builtin_signbit(patch.values.intensity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_parameter_is_read),
        cmocka_unit_test(test_names_are_read_to_their_places),
        cmocka_unit_test(test_a_scene_brings_its_values),
        cmocka_unit_test(test_absent_fields_are_not_set),
        cmocka_unit_test(test_what_is_wrong_is_refused_by_name),
        cmocka_unit_test(test_one_wrong_field_spoils_all),
        cmocka_unit_test(test_rules_are_told_in_words),
        cmocka_unit_test(test_ignored_keys_are_the_callers),
        cmocka_unit_test(test_long_fields_and_values_are_cut_between_characters),
        cmocka_unit_test(test_keys_come_back_in_one_spelling),
        cmocka_unit_test(test_all_parameters_go_there_and_back),
        cmocka_unit_test(test_the_default_reads_as_promised),
        cmocka_unit_test(test_negative_zero_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
