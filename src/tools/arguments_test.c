#include "tools/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct target {
    bool loud;
    int64_t count;
    uint64_t seed;
    double share;
    const char *out, *format, *from, *to;
    struct argument_list sets;
};

#define AT(field) offsetof(struct target, field)
static const struct argument rows[] = {
    {.name = "from", .kind = ARGUMENT_POSITION, .offset = AT(from), .help = "where from"},
    {.name = "to", .kind = ARGUMENT_POSITION, .offset = AT(to), .standard = "here", .help = "where to"},
    {.name = "loud", .kind = ARGUMENT_FLAG, .offset = AT(loud), .help = "say more"},
    {.name = "count", .kind = ARGUMENT_INTEGER, .offset = AT(count), .value = "N", .standard = "3", .min = -5,
     .max = 100, .help = "how many"},
    {.name = "seed", .kind = ARGUMENT_SEED, .offset = AT(seed), .value = "N", .standard = "1", .help = "the seed"},
    {.name = "share", .kind = ARGUMENT_NUMBER, .offset = AT(share), .value = "X", .standard = ".5", .min = -1,
     .max = 1,
     .help = "a share of the whole, described in so many words that the line has to be wrapped twice at least"},
    {.name = "out", .kind = ARGUMENT_TEXT, .offset = AT(out), .value = "FILE", .help = "a file"},
    {.name = "format", .kind = ARGUMENT_CHOICE, .offset = AT(format), .standard = "opus", .choices = "opus|pcm|v0",
     .help = "the format"},
    {.name = "set", .kind = ARGUMENT_LIST, .offset = AT(sets), .value = "NAME=VALUE", .help = "a parameter"},
};
static const struct argument_table table = {"auralis try [options] FROM [TO]", "Tries things.", rows,
                                            sizeof rows / sizeof *rows};

static char message[256];

#define READ(target, ...) read_words((target), (char *[]){"try", __VA_ARGS__, NULL})
static enum arguments_result read_words(struct target *target, char **words)
{
    int count = 0;
    while (words[count])
        count++;
    struct text error = text_on(message, sizeof message);
    memset(target, 0x5a, sizeof *target);
    return arguments_read(&table, count, words, target, &error);
}

static void defaults_are_in_force(void **state)
{
    struct target t;
    assert_int_equal(READ(&t, "a"), ARGUMENTS_OK);
    assert_false(t.loud);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.seed, 1);
    assert_float_equal(t.share, .5, 0);
    assert_null(t.out);
    assert_string_equal(t.format, "opus");
    assert_string_equal(t.from, "a");
    assert_string_equal(t.to, "here");
    assert_int_equal(t.sets.count, 0);
}

static void both_forms_are_read(void **state)
{
    struct target t;
    assert_int_equal(READ(&t, "--count", "-5", "a", "--share=-.25e0", "--loud", "--out", "x.wav", "--format=v0", "b",
                          "--seed=18446744073709551615", "--set", "bpm=60", "--set=key=A", "--count=7"), ARGUMENTS_OK);
    assert_true(t.loud);
    assert_int_equal(t.count, 7);
    assert_true(t.seed == UINT64_MAX);
    assert_float_equal(t.share, -.25, 0);
    assert_string_equal(t.out, "x.wav");
    assert_string_equal(t.format, "v0");
    assert_string_equal(t.from, "a");
    assert_string_equal(t.to, "b");
    assert_int_equal(t.sets.count, 2);
    assert_string_equal(t.sets.items[0], "bpm=60");
    assert_string_equal(t.sets.items[1], "key=A");
}

static void two_dashes_end_the_options(void **state)
{
    struct target t;
    assert_int_equal(READ(&t, "--", "--help", "--loud"), ARGUMENTS_OK);
    assert_string_equal(t.from, "--help");
    assert_string_equal(t.to, "--loud");
    assert_false(t.loud);
}

static void flags_can_be_told_off_again(void **state)
{
    static const struct { const char *word; bool loud; } cases[] = {
        {"--loud", true}, {"--loud=on", true}, {"--loud=off", false}};
    struct target t;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(READ(&t, "a", "--loud", (char *)(uintptr_t)cases[i].word), ARGUMENTS_OK);
        assert_int_equal(t.loud, cases[i].loud);
    }
}

static void bad_values_are_refused_with_name_and_rule(void **state)
{
    static const struct { char *word; const char *name, *rule; } bad[] = {
        {"--count=101", "--count: '101'", "a whole number from -5 to 100"}, {"--count=", "--count", "-5 to 100"},
        {"--count=1.0", "--count", "whole"}, {"--count= 1", "--count", "whole"}, {"--count=1x", "--count", "whole"},
        {"--count=99999999999999999999", "--count", "whole"}, {"--count=--1", "--count", "whole"},
        {"--share=nan", "--share", "a number from -1 to 1"}, {"--share=inf", "--share", "-1 to 1"},
        {"--share=0x1", "--share", "-1 to 1"}, {"--share=1.01", "--share", "-1 to 1"}, {"--share=1e", "--share", "1"},
        {"--share=.", "--share", "-1 to 1"}, {"--seed=-1", "--seed", "from 0 to 18446744073709551615"},
        {"--seed=18446744073709551616", "--seed", "from 0"}, {"--format=mp3", "--format", "one of opus|pcm|v0"},
        {"--format=", "--format", "one of"}, {"--format=opus|pcm", "--format", "one of"}, {"--out=", "--out", "empty"},
        {"--set=", "--set", "empty"}, {"--loud=1", "--loud", "on, off"}, {"--loudly", "unknown option --loudly", ""},
        {"--cou=1", "unknown option --cou", ""}, {"-x", "unknown option -x", ""}, {"--=1", "unknown option --", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct target t;
        assert_int_equal(READ(&t, "a", bad[i].word), ARGUMENTS_BAD);
        assert_non_null(strstr(message, bad[i].name));
        assert_non_null(strstr(message, bad[i].rule));
    }
}

static void missing_and_surplus_words_are_refused(void **state)
{
    struct target t;
    assert_int_equal(READ(&t, "a", "--count"), ARGUMENTS_BAD);
    assert_string_equal(message, "--count needs a value: a whole number from -5 to 100");
    assert_int_equal(READ(&t, "a", "--out", "--loud"), ARGUMENTS_BAD);
    assert_non_null(strstr(message, "--out needs a value"));
    assert_int_equal(READ(&t, "--loud"), ARGUMENTS_BAD);
    assert_string_equal(message, "from is missing");
    assert_int_equal(READ(&t, "a", "b", "c"), ARGUMENTS_BAD);
    assert_string_equal(message, "'c' is one argument too many");
    assert_int_equal(READ(&t, ""), ARGUMENTS_BAD);
}

static void a_list_has_an_end(void **state)
{
    char *words[2 + ARGUMENT_LIST_MAX + 2] = {"try", "a"};
    for (int i = 0; i < ARGUMENT_LIST_MAX; i++)
        words[2 + i] = "--set=x";
    struct target t;
    assert_int_equal(read_words(&t, words), ARGUMENTS_OK);
    assert_int_equal(t.sets.count, ARGUMENT_LIST_MAX);
    words[2 + ARGUMENT_LIST_MAX] = "--set=x";
    assert_int_equal(read_words(&t, words), ARGUMENTS_BAD);
}

static void the_rest_is_a_list_of_one_at_least(void **state)
{
    struct rest { const char *first; bool loud; struct argument_list rest; } t;
    static const struct argument rest_rows[] = {
        {.name = "FIRST", .kind = ARGUMENT_POSITION, .offset = offsetof(struct rest, first), .help = "one"},
        {.name = "loud", .kind = ARGUMENT_FLAG, .offset = offsetof(struct rest, loud), .help = "say more"},
        {.name = "FILE", .kind = ARGUMENT_REST, .offset = offsetof(struct rest, rest), .help = "and more"},
    };
    static const struct argument_table rest_table = {"auralis rest FIRST FILE...", "Takes all.", rest_rows, 3};
    static const struct { char *words[8]; int given, count; const char *wrong; } cases[] = {
        {{"rest", "a", "b"}, 3, 1, ""}, {{"rest", "a", "b", "--loud", "c", "--", "--loud"}, 7, 3, ""},
        {{"rest", "a"}, 2, 0, "FILE is missing"}, {{"rest", "--loud"}, 2, 0, "FIRST is missing"},
        {{"rest", "a", "b", ""}, 4, 0, "FILE: '' is not allowed: not empty, at most 32 times"},
        {{"rest", "a", "--FILE=x"}, 3, 0, "unknown option --FILE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text error = text_on(message, sizeof message);
        enum arguments_result result =
            arguments_read(&rest_table, cases[i].given, (char **)(uintptr_t)cases[i].words, &t, &error);
        assert_string_equal(message, cases[i].wrong);
        assert_int_equal(result, *cases[i].wrong ? ARGUMENTS_BAD : ARGUMENTS_OK);
        if (result == ARGUMENTS_OK)
            assert_int_equal(t.rest.count, cases[i].count);
    }
}

static void help_comes_before_everything_later(void **state)
{
    struct target t;
    assert_int_equal(READ(&t, "-h"), ARGUMENTS_HELP);
    assert_int_equal(READ(&t, "--help", "--nonsense"), ARGUMENTS_HELP);
    assert_int_equal(READ(&t, "--nonsense", "--help"), ARGUMENTS_BAD);
}

static void help_names_every_row_within_80_columns(void **state)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    arguments_help(&table, out);
    fclose(out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_non_null(strstr(bytes, rows[i].name));
    assert_non_null(strstr(bytes, "Usage: auralis try [options] FROM [TO]\n"));
    assert_non_null(strstr(bytes, "how many; -5 to 100 (default 3)"));
    for (const char *line = bytes; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_in_force),
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(flags_can_be_told_off_again),
        cmocka_unit_test(bad_values_are_refused_with_name_and_rule),
        cmocka_unit_test(missing_and_surplus_words_are_refused),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(the_rest_is_a_list_of_one_at_least),
        cmocka_unit_test(help_comes_before_everything_later),
        cmocka_unit_test(help_names_every_row_within_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
