#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

static void test_pieces_join(void **state)
{
    char bytes[32];
    struct text text = text_on(bytes, sizeof bytes);
    assert_string_equal(bytes, "");
    text_add(&text, "a");
    text_append(&text, "bcd", 2);
    text_printf(&text, "%d-%s", 42, "x");
    assert_string_equal(bytes, "abc42-x");
    assert_int_equal(text.len, 7);
    assert_false(text.full);
}

static void test_exact_fit_and_one_too_many(void **state)
{
    char bytes[6];
    struct text text = text_on(bytes, 5);
    bytes[5] = '!';
    text_add(&text, "1234");
    assert_false(text.full);
    text_add(&text, "");
    assert_false(text.full);
    text_add(&text, "5");
    assert_true(text.full);
    assert_string_equal(bytes, "1234");

    text = text_on(bytes, 5);
    text_printf(&text, "%s", "1234");
    assert_false(text.full);
    text = text_on(bytes, 5);
    text_add(&text, "1");
    text_printf(&text, "%s", "2345");
    assert_true(text.full);
    assert_string_equal(bytes, "1");
    assert_int_equal(bytes[5], '!');
}

static void test_full_stays_full(void **state)
{
    char bytes[4];
    struct text text = text_on(bytes, sizeof bytes);
    text_add(&text, "toolong");
    text_add(&text, "a");
    text_printf(&text, "b");
    text_json(&text, "");
    assert_true(text.full);
    assert_string_equal(bytes, "");
    assert_int_equal(text.len, 0);
}

static void test_json_escapes(void **state)
{
    char bytes[64];
    struct text text = text_on(bytes, sizeof bytes);
    text_json(&text, "a\"b\\c\nd\te\x01\xc3\xa4/");
    assert_string_equal(bytes, "\"a\\\"b\\\\c\\nd\\u0009e\\u0001\xc3\xa4/\"");
}

static void test_json_is_whole_or_absent(void **state)
{
    const char *string = "a\"\x01\n";
    size_t whole = strlen("\"a\\\"\\u0001\\n\"");
    for (size_t cap = 2; cap <= whole + 3; cap++) {
        char bytes[32];
        memset(bytes, '!', sizeof bytes);
        struct text text = text_on(bytes, cap);
        text_add(&text, "x");
        text_json(&text, string);
        assert_int_equal(text.full, whole + 2 > cap);
        assert_int_equal(text.len, text.full ? 1 : 1 + whole);
        assert_int_equal(strlen(bytes), text.len);
        assert_int_equal(bytes[cap], '!');
    }
}

static void test_every_status_has_a_text(void **state)
{
    for (int status = STATUS_OK; status <= STATUS_UNSUPPORTED; status++)
        assert_string_not_equal(status_text((enum status)status), "unknown");
    assert_string_equal(status_text((enum status)999), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_join),
        cmocka_unit_test(test_exact_fit_and_one_too_many),
        cmocka_unit_test(test_full_stays_full),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_json_is_whole_or_absent),
        cmocka_unit_test(test_every_status_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
