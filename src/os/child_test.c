#include "os/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void lines_and_the_rest_come_in_order(void **state)
{
    struct child child;
    char line[32], rest[64];
    const char *const argv[] = {"/bin/sh", "-c", "echo one; echo two; echo three; echo four; exit 7", NULL};
    assert_int_equal(STATUS_OK, child_start(&child, argv));
    assert_true(child_line(&child, line, sizeof line, 5000));
    assert_string_equal("one", line);
    assert_true(child_line(&child, line, sizeof line, 5000));
    assert_string_equal("two", line);
    assert_int_equal(11, child_output(&child, rest, sizeof rest));
    assert_string_equal("three\nfour\n", rest);
    assert_int_equal(7, child_wait(&child));
    assert_int_equal(0, child_wait(&child));
}

static void no_line_is_not_waited_for_for_ever(void **state)
{
    struct child child;
    char line[8];
    const char *const argv[] = {"/bin/sh", "-c", "echo too long a line; exec sleep 600", NULL};
    assert_int_equal(STATUS_OK, child_start(&child, argv));
    assert_false(child_line(&child, line, sizeof line, 5000));
    char rest[32];
    assert_true(child_line(&child, rest, sizeof rest, 5000));
    assert_false(child_line(&child, rest, sizeof rest, 20));
    assert_int_equal(-1, child_end(&child));
}

static void a_missing_program_is_told(void **state)
{
    struct child child;
    const char *const argv[] = {"/nowhere/at/all", NULL};
    assert_int_equal(STATUS_NOT_FOUND, child_start(&child, argv));
    assert_int_equal(0, child_end(&child));
}

static void work_until_told(void *context)
{
    volatile double sum = 0;
    for (int i = 0; i < *(int *)context; i++)
        sum += i;
    printf("worked\n");
    fflush(stdout);
    pause();
}

static void a_fork_works_and_is_measured(void **state)
{
    struct child child;
    struct child_cost cost;
    char line[16];
    int rounds = 50 * 1000 * 1000;
    assert_int_equal(STATUS_OK, child_fork(&child, work_until_told, &rounds));
    assert_true(child_line(&child, line, sizeof line, 60000));
    assert_string_equal("worked", line);
    assert_true(child_cost(&child, &cost));
    assert_true(cost.cpu_ns >= 10 * 1000 * 1000);
    assert_true(cost.resident_bytes > 100 * 1000);
    assert_int_equal(-1, child_end(&child));
    assert_int_equal(0, child.pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_the_rest_come_in_order),
        cmocka_unit_test(no_line_is_not_waited_for_for_ever),
        cmocka_unit_test(a_missing_program_is_told),
        cmocka_unit_test(a_fork_works_and_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
