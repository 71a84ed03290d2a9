#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/random.h"

// RFC 4648, section 10.
static void known_texts_are_decoded(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[16];
        size_t len = strlen(cases[i][1]);
        assert_int_equal(base64_decode(cases[i][0], strlen(cases[i][0]), out), len);
        assert_memory_equal(out, cases[i][1], len);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const char *const cases[] = {"Zg=",      "Zg",   "Z===", "====", "Zm9v Zg=", "Zg==Zg==",
                                        "Zm\n9vYm", "Zm-v", "Zm_v", "Z=9v", "=m9v",     "Zm9\x80"};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(base64_decode(cases[i], strlen(cases[i]), out), -1);
}

static void bytes_there_and_back(void **state)
{
    uint8_t bytes[3 * 256], text[4 * 256], back[3 * 256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random_u64(1, 2, i);
    base64_encode(bytes, sizeof bytes, text);
    assert_int_equal(base64_decode((const char *)text, sizeof text, back), sizeof back);
    assert_memory_equal(bytes, back, sizeof bytes);
}

static void all_digits_are_right(void **state)
{
    uint8_t bytes[48], text[65] = {0};
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t word = (4 * i) << 18 | (4 * i + 1) << 12 | (4 * i + 2) << 6 | (4 * i + 3);
        bytes[3 * i] = (uint8_t)(word >> 16);
        bytes[3 * i + 1] = (uint8_t)(word >> 8);
        bytes[3 * i + 2] = (uint8_t)word;
    }
    base64_encode(bytes, sizeof bytes, text);
    assert_string_equal((char *)text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

// The last digit of two or three may hold no bits beyond the last byte.
static void url_texts_are_decoded(void **state)
{
    static const char *const good[][2] = {
        {"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"}, {"-_-_", "\xfb\xff\xbf"}};
    static const char *const bad[] = {"Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9vZ", "Zm v"};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t len = strlen(good[i][1]);
        assert_int_equal(base64url_decode(good[i][0], strlen(good[i][0]), out), len);
        assert_memory_equal(out, good[i][1], len);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_are_decoded),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(url_texts_are_decoded),
        cmocka_unit_test(bytes_there_and_back),
        cmocka_unit_test(all_digits_are_right),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
