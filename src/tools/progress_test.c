// Seen through a pseudo-terminal, by a virtual clock.
#include "tools/progress.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frames.h"

enum { READ_BYTES = 4096, COLUMNS_MAX = 200 };

static struct clock now;
static int master, slave;

static int set_up(void **state)
{
    struct winsize size = {.ws_row = 24, .ws_col = 100};
    clock_init_virtual(&now, NS_PER_SECOND, 0);
    return openpty(&master, &slave, NULL, NULL, &size);
}

static int tear_down(void **state)
{
    close(slave);
    close(master);
    return 0;
}

// What was written since the last time, closed with a zero. A mark shows where that ends: it takes the system a moment.
static const char *written(void)
{
    static char bytes[READ_BYTES];
    size_t len = 0;
    assert_int_equal(write(slave, "\1", 1), 1);
    while (len == 0 || bytes[len - 1] != '\1') {
        ssize_t got = read(master, bytes + len, sizeof bytes - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    bytes[len - 1] = '\0';
    return bytes;
}

// What a terminal shows after it, without blanks at the end; `line` stands from call to call.
static const char *shown(char *line, const char *bytes)
{
    size_t column = strlen(line);
    for (; *bytes; bytes++) {
        assert_true(column < COLUMNS_MAX && *bytes != '\n');
        size_t len = strlen(line);
        column = *bytes == '\r' ? 0 : column;
        if (*bytes == '\r')
            continue;
        line[column++] = *bytes;
        line[column > len ? column : len] = '\0';
    }
    for (size_t len = strlen(line); len > 0 && line[len - 1] == ' ';)
        line[--len] = '\0';
    return line;
}

static void it_says_how_far_how_fast_and_how_long(void **state)
{
    struct progress progress;
    char line[COLUMNS_MAX + 1] = "";
    progress_init(&progress, &now, slave, false);
    progress_begin(&progress, PROGRESS_SOUND, 600);
    assert_string_equal(shown(line, written()), "[                                        ]   0 %  0:00 of 10:00");
    clock_advance(&now, 2 * NS_PER_SECOND);
    progress_show(&progress, 150);
    assert_string_equal(shown(line, written()), "[##########                              ]  25 %  2:30 of 10:00"
                                                "  75 x real time  0:06 left");
    clock_advance(&now, 98 * NS_PER_SECOND);
    progress_show(&progress, 599.9);
    assert_string_equal(shown(line, written()), "[####################################### ]  99 %  9:59 of 10:00"
                                                "  6.0 x real time  0:01 left");
    progress_clear(&progress);
    assert_string_equal(shown(line, written()), "");
    progress_clear(&progress);
    assert_string_equal(written(), "");
}

static void steps_are_counted(void **state)
{
    struct progress progress;
    char line[COLUMNS_MAX + 1] = "";
    progress_init(&progress, &now, slave, false);
    progress_begin(&progress, PROGRESS_STEPS, 8);
    clock_advance(&now, 3601 * NS_PER_SECOND);
    progress_show(&progress, 4);
    assert_string_equal(shown(line, written()), "[####################                    ]  50 %  4 of 8"
                                                "  1:00:01 left");
}

static void a_piece_begins_anew(void **state)
{
    struct progress progress;
    char line[COLUMNS_MAX + 1] = "";
    progress_init(&progress, &now, slave, false);
    progress_begin(&progress, PROGRESS_STEPS, 8);
    clock_advance(&now, 50 * NS_PER_SECOND);
    progress_begin(&progress, PROGRESS_STEPS, 4);
    clock_advance(&now, NS_PER_SECOND);
    progress_show(&progress, 1);
    assert_string_equal(shown(line, written()), "[##########                              ]  25 %  1 of 4  0:03 left");
}

static void it_is_drawn_ten_times_a_second_at_most(void **state)
{
    struct progress progress;
    int draws = 0;
    progress_init(&progress, &now, slave, false);
    progress_begin(&progress, PROGRESS_SOUND, 600);
    for (int ms = 0; ms < 2000; ms++) {
        clock_advance(&now, NS_PER_MS);
        progress_show(&progress, ms / 10.0);
        for (const char *at = written(); (at = strchr(at, '\r')); at++)
            draws++;
    }
    assert_int_equal(draws, 1 + 20);
}

static void a_narrow_terminal_gets_less(void **state)
{
    static const int columns[] = {2, 5, 20, 40, 60, 70, 79, 80, 120};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns[i]};
        struct progress progress;
        char line[COLUMNS_MAX + 1] = "";
        assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
        progress_init(&progress, &now, slave, false);
        progress_begin(&progress, PROGRESS_SOUND, 36000);
        clock_advance(&now, NS_PER_SECOND);
        progress_show(&progress, 18000);
        assert_true(strlen(shown(line, written())) < (size_t)columns[i]);
        assert_true((line[0] == '[') == (columns[i] >= 70));
        progress_clear(&progress);
        assert_string_equal(shown(line, written()), "");
    }
}

static void nothing_to_do_is_done(void **state)
{
    struct progress progress;
    char line[COLUMNS_MAX + 1] = "";
    progress_init(&progress, &now, slave, false);
    progress_begin(&progress, PROGRESS_SOUND, 0);
    assert_string_equal(shown(line, written()), "[########################################] 100 %  0:00 of 0:00");
}

static void it_is_silent_when_told_and_where_nobody_looks(void **state)
{
    struct progress progress;
    int ends[2];
    char byte;
    progress_init(&progress, &now, slave, true);
    progress_begin(&progress, PROGRESS_SOUND, 1);
    progress_clear(&progress);
    assert_string_equal(written(), "");
    assert_int_equal(pipe(ends), 0);
    progress_init(&progress, &now, ends[1], false);
    progress_begin(&progress, PROGRESS_SOUND, 1);
    progress_clear(&progress);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_says_how_far_how_fast_and_how_long), CASE(steps_are_counted), CASE(a_piece_begins_anew),
        CASE(it_is_drawn_ten_times_a_second_at_most), CASE(a_narrow_terminal_gets_less), CASE(nothing_to_do_is_done),
        CASE(it_is_silent_when_told_and_where_nobody_looks),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
