#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

// Reads with a configuration file of these lines. Returns the exit status, 0 when all is well.
static int read_with_file(const char *lines)
{
    char path[] = "/tmp/auralis-options-XXXXXX", flag[64];
    int fd = mkstemp(path), exit_status = 0;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
    close(fd);
    snprintf(flag, sizeof flag, "--config=%s", path);
    struct options options;
    char *argv[] = {"serve", flag, "--data-dir=/tmp/x", NULL};
    bool good = options_read(3, argv, &options, &exit_status);
    unlink(path);
    return good ? 0 : exit_status;
}

// What the function says on standard error, without the line's end.
static int said_by_file(const char *lines, char *said, size_t cap)
{
    FILE *kept = tmpfile();
    int standard = dup(STDERR_FILENO);
    dup2(fileno(kept), STDERR_FILENO);
    int exit_status = read_with_file(lines);
    fflush(stderr);
    dup2(standard, STDERR_FILENO);
    close(standard);
    rewind(kept);
    said[fread(said, 1, cap - 1, kept)] = '\0';
    fclose(kept);
    return exit_status;
}

static void faults_of_a_file_tell_their_line(void **state)
{
    static const char *const files[][2] = {
        {"lead = 5\nlead = abc\n", ", line 2: --lead: 'abc' is not allowed: a whole number from 1 to 60\n"},
        {"nothing = 1\n", ", line 1: unknown option nothing\n"},
        {"config = x\n", ", line 1: unknown option config\n"},
        {"[part]\nlead = 5\n", ", line 2: there are no sections, but a [part]\n"},
        {"lead\n", ", line 1: not a line of the form `flag = value`\n"},
    };
    char said[400];
    assert_int_equal(read_with_file("lead = 5\n# a comment\nlog-level = debug\n"), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(said_by_file(files[i][0], said, sizeof said), 2);
        if (!strstr(said, files[i][1]))
            fail_msg("said: %s", said);
    }
}

// What is said of the variables, besides what is right with them.
static void a_variable_without_an_option_is_told(void **state)
{
    char said[400];
    setenv("AURALIS_LAED", "20", 1);
    setenv("AURALIS_LEAD", "20", 1);
    assert_int_equal(said_by_file("", said, sizeof said), 0);
    assert_string_equal(said, "auralis serve: the variable AURALIS_LAED is ignored: there is no such option\n");
    unsetenv("AURALIS_LAED");
    unsetenv("AURALIS_LEAD");
}

static void mistakes_are_status_2(void **state)
{
    static char *const mistakes[] = {"--seed=abc", "--scene=nothing", "--simd=mmx", "--listen=x", "--lead=0",
                                     "--nothing", "--scala=/nowhere", "--scala=/dev/null", "--config=/nowhere",
                                     "--config=/tmp", "--config=/dev/zero"};
    struct options options;
    int exit_status;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char *argv[] = {"serve", "--data-dir=/tmp/x", mistakes[i], NULL};
        exit_status = 0;
        assert_false(options_read(3, argv, &options, &exit_status));
        assert_int_equal(exit_status, 2);
    }
    setenv("AURALIS_LEAD", "abc", 1);
    char *argv[] = {"serve", NULL};
    assert_false(options_read(1, argv, &options, &exit_status));
    assert_int_equal(exit_status, 2);
    unsetenv("AURALIS_LEAD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_addresses_are_read),
        cmocka_unit_test(wrong_listen_addresses_are_refused),
        cmocka_unit_test(a_long_address_is_refused),
        cmocka_unit_test(a_flag_beats_a_variable),
        cmocka_unit_test(faults_of_a_file_tell_their_line),
        cmocka_unit_test(a_variable_without_an_option_is_told),
        cmocka_unit_test(mistakes_are_status_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
