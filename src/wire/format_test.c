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
    assert_string_equal(format_name(FORMAT_OPUS_64), "opus-64");
    assert_string_equal(format_name(FORMAT_OPUS_32), "opus-32");
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

static void rungs_are_told_by_their_bit_rate(void **state)
{
    static const uint32_t bitrates[FORMAT_OPUS_RUNGS] = {128000, 64000, 32000};
    for (int i = 0; i < FORMAT_OPUS_RUNGS; i++) {
        enum format rung = FORMAT_COUNT;
        assert_true(format_opus_rung(bitrates[i], &rung));
        assert_int_equal(rung, FORMAT_OPUS + i);
        assert_int_equal(format_bitrate(rung), bitrates[i]);
        assert_true(format_is_opus(rung));
        assert_string_equal(format_wire_name(rung), "opus");
    }
    for (int i = FORMAT_OPUS + FORMAT_OPUS_RUNGS; i < FORMAT_COUNT; i++) {
        assert_false(format_is_opus((enum format)i));
        assert_int_equal(format_bitrate((enum format)i), 0);
        assert_string_equal(format_wire_name((enum format)i), format_name((enum format)i));
    }
}

static void there_is_no_rung_between_others(void **state)
{
    static const int64_t none[] = {0, -32000, 31999, 96000, 128001, 128000 + (INT64_C(1) << 32)};
    enum format rung = FORMAT_PCM;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(format_opus_rung(none[i], &rung));
    assert_int_equal(rung, FORMAT_PCM);
}

static void the_ladder_ends_at_both_ends(void **state)
{
    assert_int_equal(format_higher(FORMAT_OPUS), FORMAT_OPUS);
    assert_int_equal(format_lower(FORMAT_OPUS), FORMAT_OPUS_64);
    assert_int_equal(format_lower(FORMAT_OPUS_64), FORMAT_OPUS_32);
    assert_int_equal(format_lower(FORMAT_OPUS_32), FORMAT_OPUS_32);
    assert_int_equal(format_higher(FORMAT_OPUS_32), FORMAT_OPUS_64);
    assert_int_equal(format_higher(FORMAT_OPUS_64), FORMAT_OPUS);
    for (int i = FORMAT_PCM; i < FORMAT_COUNT; i++) {
        assert_int_equal(format_lower((enum format)i), i);
        assert_int_equal(format_higher((enum format)i), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_there_and_back),
        cmocka_unit_test(unknown_name_changes_nothing),
        cmocka_unit_test(rungs_are_told_by_their_bit_rate),
        cmocka_unit_test(there_is_no_rung_between_others),
        cmocka_unit_test(the_ladder_ends_at_both_ends),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
