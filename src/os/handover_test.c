#include "os/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/auralis-handover-XXXXXX", path[80];

static int await_asker(int descriptor)
{
    int asker;
    for (int tries = 0; (asker = handover_asked(descriptor)) < 0 && tries < 10000; tries++)
        usleep(1000);
    assert_true(asker >= 0);
    return asker;
}

// In a process of its own: asks, and writes into what it is given. Its status is what came of asking.
static pid_t ask_and_write(bool says_so)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    int giver = -1, taken = -1;
    enum status status = handover_ask(path, &giver, &taken);
    if (status == STATUS_OK && write(taken, "hello", 5) != 5)
        status = STATUS_IO;
    if (status == STATUS_OK && says_so)
        handover_ready(giver);
    _exit((int)status);
}

static int ended_with(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void hand_over(bool says_so)
{
    int ends[2], descriptor = handover_open(path);
    char text[8] = "";
    struct stat info;
    assert_true(descriptor >= 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(handover_asked(descriptor), -1);
    assert_int_equal(pipe(ends), 0);
    pid_t child = ask_and_write(says_so);
    int asker = await_asker(descriptor);
    assert_int_equal(handover_look(asker), HANDOVER_WAITS);
    assert_true(handover_give(asker, ends[1]));
    close(ends[1]);
    assert_int_equal(read(ends[0], text, sizeof text), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(read(ends[0], text, sizeof text), 0);
    assert_int_equal(ended_with(child), STATUS_OK);
    assert_int_equal(handover_look(asker), says_so ? HANDOVER_READY : HANDOVER_GONE);
    close(asker);
    close(ends[0]);
    handover_close(descriptor, path);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_descriptor_is_handed_to_another_process(void **state)
{
    hand_over(true);
}

static void one_that_ends_without_a_word_is_told(void **state)
{
    hand_over(false);
}

static void nobody_there_is_told(void **state)
{
    int giver, taken;
    assert_int_equal(handover_ask(path, &giver, &taken), STATUS_NOT_FOUND);
    int descriptor = handover_open(path);
    close(descriptor);   // as by a process that was killed
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(handover_ask(path, &giver, &taken), STATUS_NOT_FOUND);
    descriptor = handover_open(path);
    assert_true(descriptor >= 0);
    handover_close(descriptor, path);
}

static void one_that_gives_nothing_is_told(void **state)
{
    int descriptor = handover_open(path);
    pid_t child = ask_and_write(true);
    close(await_asker(descriptor));
    assert_int_equal(ended_with(child), STATUS_CLOSED);
    handover_close(descriptor, path);
}

static void one_that_has_gone_is_told(void **state)
{
    int descriptor = handover_open(path);
    pid_t child = ask_and_write(true);
    int asker = await_asker(descriptor);
    kill(child, 9);
    (void)ended_with(child);
    assert_false(handover_give(asker, 0));
    close(asker);
    handover_close(descriptor, path);
}

static void a_path_that_is_too_long_cannot_be_listened_at(void **state)
{
    char longer[300];
    int giver, taken;
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(handover_open(longer), -1);
    assert_int_equal(handover_ask(longer, &giver, &taken), STATUS_NOT_FOUND);
    handover_close(-1, longer);
}

int main(void)
{
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/socket", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_is_handed_to_another_process),
        cmocka_unit_test(one_that_ends_without_a_word_is_told),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(one_that_gives_nothing_is_told),
        cmocka_unit_test(one_that_has_gone_is_told),
        cmocka_unit_test(a_path_that_is_too_long_cannot_be_listened_at),
    };
    int failed = cmocka_run_group_tests_name("handover", tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
