#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

static void assert_listen(const char *text, const char *address, unsigned port)
{
    char got[64];
    uint16_t got_port = 0;
    assert_true(options_parse_listen(text, got, sizeof got, &got_port));
    assert_string_equal(got, address);
    assert_int_equal(got_port, port);
}

static void listen_addresses_are_read(void **state)
{
    assert_listen("127.0.0.1:8000", "127.0.0.1", 8000);
    assert_listen("[::1]:0", "::1", 0);
    assert_listen("0.0.0.0:65535", "0.0.0.0", 65535);
}

static void wrong_listen_addresses_are_refused(void **state)
{
    static const char *const texts[] = {"",        "8000",     ":8000",     "127.0.0.1",    "127.0.0.1:",
                                        "a:65536", "a:-1",     "a:80x",     "::1:8000",     "[::1:8000",
                                        "[]:80",   "a: 80",    "a:0x50",    "a:99999999999999999999"};
    char address[64];
    uint16_t port;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (options_parse_listen(texts[i], address, sizeof address, &port))
            fail_msg("%s was taken", texts[i]);
}

static void a_long_address_is_refused(void **state)
{
    char text[200], address[64];
    uint16_t port;
    memset(text, 'a', sizeof text);
    strcpy(text + 100, ":80");
    assert_false(options_parse_listen(text, address, sizeof address, &port));
}

static void a_flag_beats_a_variable(void **state)
{
    struct options options;
    int exit_status;
    setenv("AURALIS_LEAD", "20", 1);
    setenv("AURALIS_SCENE", "sleep", 1);
    char *argv[] = {"serve", "--lead", "5", "--data-dir=/tmp/x", "--allow-origin=https://a.example", NULL};
    assert_true(options_read(5, argv, &options, &exit_status));
    assert_int_equal(options.lead_frames, 5 * 48000);
    assert_string_equal(options.scene, "sleep");
    assert_string_equal(options.data_dir, "/tmp/x");
    assert_string_equal(options.origins[0], "https://a.example");
    assert_null(options.origins[1]);
    assert_null(options.hosts[0]);
    unsetenv("AURALIS_LEAD");
    unsetenv("AURALIS_SCENE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_addresses_are_read),
        cmocka_unit_test(wrong_listen_addresses_are_refused),
        cmocka_unit_test(a_long_address_is_refused),
        cmocka_unit_test(a_flag_beats_a_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
