#include "store/preset_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"

static void test_names_people_give(void **state)
{
    static const char *const good[] = {"a", "Rainy night", "Z\xc3\xbcrich", "\xe2\x99\xaa", "\xf0\x9f\x8e\xb5",
                                       "<b>&\"'/\\%", "\xc2\xa0", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(preset_name_is_valid(good[i]));
}

static void test_fifty_characters_not_bytes(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x99\xaa", "\xf0\x9f\x8e\xb5"};
    for (size_t i = 0; i < 4; i++) {
        char name[256] = "";
        for (int n = 0; n < STORE_PRESET_NAME_CHARS; n++)
            strcat(name, characters[i]);
        assert_true(preset_name_is_valid(name));
        assert_true(strlen(name) < STORE_PRESET_NAME_BYTES);
        strcat(name, "x");
        assert_false(preset_name_is_valid(name));
    }
    assert_false(preset_name_is_valid(""));
}

static void test_control_characters(void **state)
{
    for (int c = 1; c < 0x20; c++)
        assert_false(preset_name_is_valid((char[]){'a', (char)c, 'b', 0}));
    assert_false(preset_name_is_valid("a\x7f"));
    assert_false(preset_name_is_valid("\xc2\x80"));
    assert_false(preset_name_is_valid("\xc2\x9f"));
}

static void test_what_is_not_utf8(void **state)
{
    static const char *const bad[] = {
        "\x80", "\xbf", "a\xc3", "\xc3(", "\xe2\x99", "\xe2(\xa1", "\xf0\x9f\x8e", "\xc0\xaf", "\xc1\xbf",
        "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(preset_name_is_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_people_give),
        cmocka_unit_test(test_fifty_characters_not_bytes),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_what_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
