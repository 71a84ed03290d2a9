#include "os/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/thread.h"

static char written[1 << 20];

struct capture {
    FILE *file;
    int saved;
};

static struct capture capture_begin(void)
{
    struct capture capture = {.file = tmpfile(), .saved = dup(STDERR_FILENO)};
    fflush(stderr);
    dup2(fileno(capture.file), STDERR_FILENO);
    return capture;
}

static void capture_end(struct capture capture)
{
    fflush(stderr);
    dup2(capture.saved, STDERR_FILENO);
    close(capture.saved);
    rewind(capture.file);
    written[fread(written, 1, sizeof written - 1, capture.file)] = '\0';
    fclose(capture.file);
}

static void test_a_line_has_time_level_and_text(void **state)
{
    struct capture capture = capture_begin();
    log_warn("%d listeners", 3);
    capture_end(capture);
    assert_int_equal(written[10], 'T');
    assert_int_equal(written[23], 'Z');
    assert_string_equal(written + 24, " warn 3 listeners\n");
}

static void test_levels_above_are_dropped(void **state)
{
    struct capture capture = capture_begin();
    log_debug("a");
    log_set_level(LOG_LEVEL_ERROR);
    log_info("b");
    log_warn("c");
    log_error("d");
    log_set_level(LOG_LEVEL_INFO);
    capture_end(capture);
    assert_string_equal(written + 24, " error d\n");
}

static void test_a_message_is_one_line_whatever_is_in_it(void **state)
{
    struct capture capture = capture_begin();
    log_info("name %s", "a\r\n2024-01-01 error forged\x1b[2J\x7f\xc3\xa4");
    capture_end(capture);
    assert_string_equal(written + 24, " info name a??2024-01-01 error forged?[2J?\xc3\xa4\n");
}

static void test_long_messages_are_cut(void **state)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    for (size_t len = 950; len < 1100; len++) {
        struct capture capture = capture_begin();
        log_info("%.*s", (int)len, text);
        capture_end(capture);
        size_t all = strlen(written);
        assert_true(all <= 1023 && all >= (len < 980 ? len + 30 : 1000));
        assert_int_equal(written[all - 1], '\n');
    }
}

static void write_lines(void *argument)
{
    for (int i = 0; i < 500; i++)
        log_info("%s", (const char *)argument);
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    static char texts[3][201];
    struct thread threads[3];
    struct capture capture = capture_begin();
    for (int i = 0; i < 3; i++) {
        memset(texts[i], 'a' + i, 200);
        assert_int_equal(thread_start(&threads[i], "log", THREAD_DOOR, write_lines, texts[i]), STATUS_OK);
    }
    for (int i = 0; i < 3; i++)
        thread_join(&threads[i]);
    capture_end(capture);
    int lines = 0;
    for (char *line = strtok(written, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        const char *text = line + strlen(line) - 200;
        assert_true(strcmp(text, texts[text[0] - 'a']) == 0);
        assert_int_equal(strlen(line), 24 + strlen(" info ") + 200);
    }
    assert_int_equal(lines, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_has_time_level_and_text),
        cmocka_unit_test(test_levels_above_are_dropped),
        cmocka_unit_test(test_a_message_is_one_line_whatever_is_in_it),
        cmocka_unit_test(test_long_messages_are_cut),
        cmocka_unit_test(test_lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
