#include "score/scala.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char words[200];

static enum status read_bytes(struct tuning *tuning, const char *bytes, size_t len)
{
    struct text failure = text_on(words, sizeof words);
    char *exact = malloc(len + 1);    // so that a sanitizer sees what reads beyond
    assert_non_null(exact);
    memcpy(exact + 1, bytes, len);
    enum status status = scala_read(exact + 1, len, tuning, &failure);
    free(exact);
    return status;
}

static struct tuning read_good(const char *text)
{
    struct tuning tuning;
    if (read_bytes(&tuning, text, strlen(text)) != STATUS_OK)
        fail_msg("%s", words);
    assert_string_equal(words, "");
    return tuning;
}

static void assert_refused(const char *text, const char *says)
{
    struct tuning tuning = {.name = "before"};
    assert_int_equal(read_bytes(&tuning, text, strlen(text)), STATUS_INVALID);
    assert_string_equal(words, says);
    assert_string_equal(tuning.name, "before");
}

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-6)
        fail_msg("%.9f is not %.9f", a, b);
}

static void assert_same(const struct tuning *a, const struct tuning *b)
{
    for (int n = 0; n < TUNING_CLASSES; n++)
        assert_near(a->offset_cents[n], b->offset_cents[n]);
}

static void twelve_ratios_are_read(void **state)
{
    struct tuning tuning = read_good("! just.scl\n!\nJust intonation\n 12\n!\n 16/15\n 9/8\n 6/5\n 5/4\n 4/3\n 45/32\n"
                                     " 3/2\n 8/5\n 5/3\n 9/5\n 15/8\n 2/1\n");
    assert_same(&tuning, &tunings[TUNING_JUST]);
    assert_string_equal(tuning.name, "scala");
    assert_string_equal(tuning.title, "Just intonation");
}

static void cents_are_read(void **state)
{
    struct tuning tuning = read_good("\n12\n100.0\n200.\n300.00 cents\n400.0 E\n500.0\t!\n600.\n700.\n800.\n900.\n"
                                     "1000.\n1100.0000000000000000000000001\n2\n");
    assert_same(&tuning, &tunings[0]);
    assert_string_equal(tuning.title, "");
}

static void lines_end_in_any_way(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    struct tuning first = {0};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[200];
        const char *end = ends[i];
        snprintf(text, sizeof text, "! x%sthree%s!%s 3 %s5/4%s!1/1%s3 / 2%s2/1", end, end, end, end, end, end, end);
        struct tuning tuning = read_good(text);
        assert_string_equal(tuning.title, "three");
        if (i == 0)
            first = tuning;
        assert_same(&tuning, &first);
    }
}

static void what_follows_the_scale_is_ignored(void **state)
{
    struct tuning tuning = read_good("x\n1\n2/1\n3//4\nanything");
    assert_near(tuning.offset_cents[5], -500);
}

static void twelve_notes_are_the_keys(void **state)
{
    struct tuning tuning = read_good("bent\n12\n180.\n200.\n300.\n400.\n500.\n600.\n700.\n800.\n900.\n1000.\n1010.\n"
                                     "2/1\n");
    assert_near(tuning.offset_cents[1], 80);
    assert_near(tuning.offset_cents[2], 0);
    assert_near(tuning.offset_cents[11], -90);
}

// Five notes of 240 cents.
static void classes_take_the_nearest_degree(void **state)
{
    static const double degrees[TUNING_CLASSES] = {0, 0, 240, 240, 480, 480, 480, 720, 720, 960, 960, 1200};
    struct tuning tuning = read_good("five\n5\n240.\n480.\n720.\n960.\n2/1\n");
    for (int n = 0; n < TUNING_CLASSES; n++)
        assert_near(100 * n + tuning.offset_cents[n], degrees[n]);
}

static void more_degrees_come_nearer(void **state)
{
    char text[1000];
    int len = snprintf(text, sizeof text, "53 equal steps\n53\n");
    for (int i = 1; i <= 53; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%.6f\n", 1200.0 * i / 53);
    struct tuning tuning = read_good(text);
    for (int n = 0; n < TUNING_CLASSES; n++)
        assert_true(fabs(tuning.offset_cents[n]) <= 600.0 / 53 + 1e-5);
    assert_near(tuning.offset_cents[7], 1200.0 * 31 / 53 - 700);
}

static void degrees_may_stand_in_any_order_and_octave(void **state)
{
    struct tuning ordered = read_good("x\n4\n5/4\n3/2\n7/4\n2/1\n");
    struct tuning other = read_good("x\n4\n3/1\n-231.174094\n5/4\n2/1\n");
    assert_same(&ordered, &other);
}

static void a_stretched_octave_is_played_pure(void **state)
{
    struct tuning tuning = read_good("x\n2\n702.\n1206.5\n");
    assert_near(tuning.offset_cents[7], 2);
    assert_near(tuning_pitch(&tuning, 0, 72) - tuning_pitch(&tuning, 0, 60), 12);
}

static void descriptions_may_be_long_and_of_any_bytes(void **state)
{
    char text[500];
    snprintf(text, sizeof text, "\xef\xbb\xbf!\n  L\xe9g\xe8re %0300d\n1\n2/1\n", 7);
    struct tuning tuning = read_good(text);
    assert_int_equal(strlen(tuning.title), TUNING_TITLE_BYTES - 1);
    assert_memory_equal(tuning.title, "L?g?re 000", 10);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct { const char *text, *says; } rows[] = {
        {"", "line 1: the file ends before the description"},
        {"! only\n! comments", "line 3: the file ends before the description"},
        {"x", "line 2: the file ends before the number of notes"},
        {"x\n2\n3/2\n", "line 4: the file ends before its last pitch"},
        {"x\n!\ntwo\n", "line 3: 'two' is not the number of notes"},
        {"x\n2.0\n", "line 2: '2.0' is not the number of notes"},
        {"x\n2 3\n", "line 2: '2 3' is not the number of notes"},
        {"x\n-2\n", "line 2: '-2' is not the number of notes"},
        {"x\n0\n", "line 2: '0' is not a number of notes that can be read: 1 to 1024"},
        {"x\n1025\n", "line 2: '1025' is not a number of notes that can be read: 1 to 1024"},
        {"x\n9999999999999999\n", "line 2: '9999999999999999' is not a number of notes that can be read: 1 to 1024"},
        {"x\n1\n \r\n", "line 3: '' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n\x01\n", "line 3: '?' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n.\n", "line 3: '.' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n1200,0 \n", "line 3: '1200,0' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n1200.0.0\n", "line 3: '1200.0.0' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n4/2/1\n", "line 3: '4/2/1' is no pitch: neither cents, as 386.3, nor a ratio, as 5/4"},
        {"x\n1\n3//2\n", "line 3: '3//2' is no ratio"},
        {"x\n1\n3/\n", "line 3: '3/' is no ratio"},
        {"x\n1\n3/-2\n", "line 3: '3/-2' is no ratio"},
        {"x\n1\n3/2.0\n", "line 3: '3/2.0' is no ratio"},
        {"x\n1\n0/2\n", "line 3: '0/2' is no ratio: it has a zero"},
        {"x\n1\n2/0\n", "line 3: '2/0' is no ratio: it has a zero"},
        {"x\n1\n-2/1\n", "line 3: '-2/1' is negative, which only cents can be"},
        {"x\n1\n2000000000000000/1\n", "line 3: '2000000000000000/1' has too many digits"},
        {"x\n1\n2/1000000000000000\n", "line 3: '2/1000000000000000' has too many digits"},
        {"x\n1\n9999999999.\n", "line 3: '9999999999.' is too large"},
        {"x\n1\n99999999999999999999.\n", "line 3: '99999999999999999999.' is too large"},
        {"x\n3\n9/7\n5/3\n3/1 twelfth\n", "line 5: '3/1 twelfth' is no octave, and the scale must repeat at one"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_refused(rows[i].text, rows[i].says);
}

static void long_files_are_refused(void **state)
{
    static const char scale[] = {'\n', '1', '\n', '2', '/', '1', '\n'};
    char *text = malloc(SCALA_BYTES_MAX + 1);
    struct tuning tuning;
    assert_non_null(text);
    memset(text, 'x', SCALA_BYTES_MAX + 1);
    memcpy(text + 100, scale, sizeof scale);
    assert_int_equal(read_bytes(&tuning, text, SCALA_BYTES_MAX), STATUS_OK);
    assert_int_equal(read_bytes(&tuning, text, SCALA_BYTES_MAX + 1), STATUS_INVALID);
    assert_string_equal(words, "line 1: the file has more than 65536 bytes");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twelve_ratios_are_read),
        cmocka_unit_test(cents_are_read),
        cmocka_unit_test(lines_end_in_any_way),
        cmocka_unit_test(what_follows_the_scale_is_ignored),
        cmocka_unit_test(twelve_notes_are_the_keys),
        cmocka_unit_test(classes_take_the_nearest_degree),
        cmocka_unit_test(more_degrees_come_nearer),
        cmocka_unit_test(degrees_may_stand_in_any_order_and_octave),
        cmocka_unit_test(a_stretched_octave_is_played_pure),
        cmocka_unit_test(descriptions_may_be_long_and_of_any_bytes),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(long_files_are_refused),
    };
    return cmocka_run_group_tests_name("scala", tests, NULL, NULL);
}
