#include "tools/score_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char words[256];

static enum status read_json(struct score_file *score, const char *json)
{
    struct text failure = text_on(words, sizeof words);
    return score_file_read(score, json, strlen(json), &failure);
}

static void a_log_is_read(void **state)
{
    struct score_file score;
    assert_int_equal(read_json(&score, "{\"station\":\"main\",\"seed\":\"18446744073709551615\",\"lead_frames\":480000,"
        "\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{\"bpm\":50,\"enable_pads\":false}},"
        "{\"sequence\":3,\"at_frame\":9600,\"parameters\":{\"bpm\":90,\"intensity\":0.25}}]}"), STATUS_OK);
    assert_true(score.seed == UINT64_MAX);
    assert_int_equal(score.lead_frames, 480000);
    assert_int_equal(score.log.count, 2);
    assert_int_equal(score.log.entries[0].mood.bpm, 50);
    assert_int_equal(score.log.entries[1].sequence, 3);
    assert_int_equal(score.log.entries[1].at_frame, 9600);
    assert_float_equal(score.log.entries[1].mood.intensity, .25, 0);
    assert_false(score.log.entries[1].mood.enable_pads);
    score_file_finish(&score);
}

// What an entry does not name stays as it was, whatever the scene before.
static void an_entry_moves_what_it_names(void **state)
{
    struct score_file score;
    assert_int_equal(read_json(&score, "{\"seed\":1,\"entries\":["
        "{\"sequence\":0,\"at_frame\":0,\"parameters\":{\"scene\":\"glass\",\"bpm\":61}},"
        "{\"sequence\":1,\"at_frame\":960,\"parameters\":{\"space\":0.125}}]}"), STATUS_OK);
    struct mood mood = score.log.entries[0].mood;
    mood.space = .125;
    assert_int_equal(mood_difference(&score.log.entries[1].mood, &mood), 0);
    score_file_finish(&score);
}

#define ONE_ENTRY "\"seed\":1,\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{}}]"

static void a_scale_is_read(void **state)
{
    struct score_file score;
    assert_int_equal(read_json(&score, "{\"scala\":{\"title\":\"Mine\",\"offset_cents\":"
                                       "[0,1,2,3,4,5,6,-7.5,8,9,10,11]}," ONE_ENTRY "}"), STATUS_OK);
    assert_string_equal(score.log.head.scala.title, "Mine");
    assert_float_equal(score.log.head.scala.offset_cents[7], -7.5, 0);
    score_file_finish(&score);
    assert_int_equal(read_json(&score, "{" ONE_ENTRY "}"), STATUS_OK);
    assert_float_equal(score.log.head.scala.offset_cents[7], 0, 0);
    score_file_finish(&score);
}

static void bad_logs_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "[]", "{}", "{\"seed\":1}", "{\"seed\":-1,\"entries\":[]}", "{\"seed\":\"x\",\"entries\":[]}",
        "{\"seed\":1,\"entries\":[]}", "{\"seed\":1,\"entries\":{}}", "{\"seed\":1,\"entries\":[1]}",
        "{\"seed\":1,\"entries\":[{\"sequence\":0,\"at_frame\":960,\"parameters\":{}}]}",
        "{\"seed\":1,\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{\"bpm\":1}}]}",
        "{\"seed\":1,\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{}},"
        "{\"sequence\":1,\"at_frame\":961,\"parameters\":{}}]}",
        "{\"seed\":1,\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{}},"
        "{\"sequence\":0,\"at_frame\":960,\"parameters\":{}}]}",
        "{" ONE_ENTRY "} x",
        "{\"scala\":5," ONE_ENTRY "}",
        "{\"scala\":{\"title\":\"\",\"offset_cents\":[0]}," ONE_ENTRY "}",
        "{\"scala\":{\"title\":\"\",\"offset_cents\":[1,0,0,0,0,0,0,0,0,0,0,0]}," ONE_ENTRY "}",
        "{\"scala\":{\"title\":\"\",\"offset_cents\":[0,0,0,0,0,0,601,0,0,0,0,0]}," ONE_ENTRY "}",
        "{\"scala\":{\"title\":\"\",\"offset_cents\":[0,0,0,0,0,0,\"1\",0,0,0,0,0]}," ONE_ENTRY "}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct score_file score;
        assert_int_equal(read_json(&score, bad[i]), STATUS_INVALID);
        assert_true(strlen(words) > 0);
        assert_null(score.log.entries);
    }
}

static enum status set_both(struct mood *mood, const char *first, const char *second)
{
    struct argument_list items = {.items = {first, second}, .count = second ? 2 : 1};
    struct text failure = text_on(words, sizeof words);
    return score_set(mood, &items, &failure);
}

static enum status set(struct mood *mood, const char *item)
{
    return set_both(mood, item, NULL);
}

static void parameters_are_set(void **state)
{
    struct mood mood = mood_default();
    assert_int_equal(set(&mood, "bpm=60"), STATUS_OK);
    assert_int_equal(set(&mood, "key=C# minor"), STATUS_OK);
    assert_int_equal(set(&mood, "enable_pads=false"), STATUS_OK);
    assert_int_equal(mood.bpm, 60);
    assert_int_equal(key_tonic(mood.key), 1);
    assert_false(mood.enable_pads);
    assert_string_equal(words, "");
}

// One wish, as over the network: what stands beside a scene is kept, and a mode wins over a key.
static void the_order_of_parameters_makes_no_difference(void **state)
{
    static const char *const items[][2] = {{"bpm=60", "scene=glass"}, {"mode=lydian", "key=D minor"}};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct mood one = mood_default(), other = mood_default();
        assert_int_equal(set_both(&one, items[i][0], items[i][1]), STATUS_OK);
        assert_int_equal(set_both(&other, items[i][1], items[i][0]), STATUS_OK);
        assert_int_equal(mood_difference(&one, &other), 0);
    }
    struct mood mood = mood_default();
    assert_int_equal(set_both(&mood, "bpm=60", "scene=glass"), STATUS_OK);
    assert_int_equal(mood.bpm, 60);
    assert_ptr_equal(&scenes[mood.scene], scene_find("glass"));
    assert_int_equal(set_both(&mood, "bpm=70", "bpm=80"), STATUS_OK);
    assert_int_equal(mood.bpm, 80);
    assert_int_equal(set_both(&mood, "bpm=90", "space=2"), STATUS_INVALID);
    assert_int_equal(mood.bpm, 80);
}

static void bad_parameters_are_named(void **state)
{
    static const struct { const char *item, *says; } bad[] = {
        {"bpm", "no NAME=VALUE"}, {"bpm=x", "bpm"}, {"bpm=1000", "40 to 120"},
        {"loudness=1", "there is no 'loudness'; there are scene morph_seconds key mode"},
        {"=1", "--set"}, {"intensity=nan", "intensity"}, {"enable_pads=1", "enable_pads"},
        {"mode=dorian\xff", "--set mode: its value is no UTF-8"},
    };
    struct mood mood = mood_default(), before = mood;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(set(&mood, bad[i].item), STATUS_INVALID);
        assert_non_null(strstr(words, bad[i].says));
        assert_int_equal(mood_difference(&mood, &before), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_read),        cmocka_unit_test(an_entry_moves_what_it_names),
        cmocka_unit_test(a_scale_is_read),      cmocka_unit_test(bad_logs_are_refused),
        cmocka_unit_test(parameters_are_set),   cmocka_unit_test(the_order_of_parameters_makes_no_difference),
        cmocka_unit_test(bad_parameters_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
