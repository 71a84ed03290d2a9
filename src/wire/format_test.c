#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/format.h"

static void names_there_and_back(void **state)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        enum format format = FORMAT_COUNT;
        assert_true(format_from_name(format_name((enum format)i), &format));
        assert_int_equal(format, i);
    }
    assert_string_equal(format_name(FORMAT_OPUS), "opus");
    assert_string_equal(format_name(FORMAT_PCM), "pcm");
    assert_string_equal(format_name(FORMAT_LEGACY), "legacy");
}

static void unknown_name_changes_nothing(void **state)
{
    enum format format = FORMAT_PCM;
    assert_false(format_from_name("", &format));
    assert_false(format_from_name("Opus", &format));
    assert_false(format_from_name("opus ", &format));
    assert_int_equal(format, FORMAT_PCM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_there_and_back),
        cmocka_unit_test(unknown_name_changes_nothing),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
