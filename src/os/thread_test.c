#include "os/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frames.h"

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

struct seen {
    char name[16];
    int nice;
};

static void look_around(void *argument)
{
    struct seen *seen = argument;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    seen->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void test_a_thread_has_its_name_and_class(void **state)
{
    struct thread thread;
    struct seen seen = {.nice = 99};
    int own = getpriority(PRIO_PROCESS, (id_t)gettid());
    const char *name = "a-name-that-is-too-long";
    assert_int_equal(thread_start(&thread, name, THREAD_BACKGROUND, look_around, &seen), STATUS_OK);
    thread_join(&thread);
    assert_string_equal(seen.name, "a-name-that-is-");
    assert_int_equal(seen.nice, own > 10 ? own : 10);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), own);
}

// Whatever is allowed here, those who serve never come before those who play.
static void test_classes_are_in_order(void **state)
{
    int render = thread_priority_of(THREAD_RENDER).nice, io = thread_priority_of(THREAD_IO).nice;
    int door = thread_priority_of(THREAD_DOOR).nice, store = thread_priority_of(THREAD_STORE).nice;
    assert_true(render <= io);
    assert_true(io < door && io < store);
    assert_true(door <= thread_priority_of(THREAD_BACKGROUND).nice);
}

// Without the right to rise: as for somebody who is not root.
static void test_without_the_right_to_rise(void **state)
{
    struct rlimit limit = {0};
    pid_t child = fork();
    if (child == 0) {
        bool done = setrlimit(RLIMIT_NICE, &limit) == 0 && (geteuid() != 0 || setuid(65534) == 0);
        struct thread_priority io = thread_priority_of(THREAD_IO), door = thread_priority_of(THREAD_DOOR);
        _exit(done && !io.granted && io.nice >= 0 && door.nice > io.nice ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_joining_twice_or_never_started(void **state)
{
    struct thread thread = {.running = false};
    struct seen seen;
    thread_join(&thread);
    assert_int_equal(thread_start(&thread, "short", THREAD_STORE, look_around, &seen), STATUS_OK);
    thread_join(&thread);
    thread_join(&thread);
    assert_string_equal(seen.name, "short");
    assert_true(thread_processors() >= 1);
}

static void go_on_when_told(void *argument)
{
    atomic_int *step = argument;
    while (atomic_load(step) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    atomic_store(step, 2);
}

static void test_a_detached_thread_is_not_waited_for(void **state)
{
    static atomic_int step;
    struct thread thread;
    assert_int_equal(thread_start(&thread, "detached", THREAD_STORE, go_on_when_told, &step), STATUS_OK);
    thread_detach(&thread);
    thread_join(&thread);
    atomic_store(&step, 1);
    while (atomic_load(&step) != 2)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static void test_raised_before_waiting_is_not_lost(void **state)
{
    struct wakeup wakeup;
    wakeup_init(&wakeup);
    wakeup_raise(&wakeup);
    wakeup_raise(&wakeup);
    assert_true(wakeup_wait(&wakeup, 3600 * NS_PER_SECOND));
    assert_false(wakeup_wait(&wakeup, 0));
    wakeup_finish(&wakeup);
}

static void test_waiting_ends_by_itself_and_not_before(void **state)
{
    struct wakeup wakeup;
    wakeup_init(&wakeup);
    uint64_t start = monotonic_ns();
    assert_false(wakeup_wait(&wakeup, 20 * NS_PER_MS));
    assert_true(monotonic_ns() - start >= 20 * NS_PER_MS);
    wakeup_finish(&wakeup);
}

struct pingpong {
    struct wakeup there, back;
    atomic_int turns;
};

static void answer(void *argument)
{
    struct pingpong *game = argument;
    for (int i = 0; i < 1000; i++) {
        while (!wakeup_wait(&game->there, UINT64_MAX)) {
        }
        atomic_fetch_add(&game->turns, 1);
        wakeup_raise(&game->back);
    }
}

static void test_two_threads_wake_each_other(void **state)
{
    struct pingpong game = {.turns = 0};
    struct thread thread;
    wakeup_init(&game.there);
    wakeup_init(&game.back);
    assert_int_equal(thread_start(&thread, "answer", THREAD_IO, answer, &game), STATUS_OK);
    for (int i = 0; i < 1000; i++) {
        wakeup_raise(&game.there);
        assert_true(wakeup_wait(&game.back, 60 * NS_PER_SECOND));
        assert_int_equal(atomic_load(&game.turns), i + 1);
    }
    thread_join(&thread);
    wakeup_finish(&game.there);
    wakeup_finish(&game.back);
}

static void raise_late(void *argument)
{
    nanosleep(&(struct timespec){.tv_nsec = 20 * (long)NS_PER_MS}, NULL);
    wakeup_raise(argument);
}

// A wait without an end must sleep, not return at once because the deadline wrapped around.
static void test_the_longest_wait_waits(void **state)
{
    struct wakeup wakeup;
    struct thread thread;
    wakeup_init(&wakeup);
    assert_int_equal(thread_start(&thread, "late", THREAD_DOOR, raise_late, &wakeup), STATUS_OK);
    assert_true(wakeup_wait(&wakeup, UINT64_MAX));
    thread_join(&thread);
    wakeup_finish(&wakeup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_has_its_name_and_class),
        cmocka_unit_test(test_classes_are_in_order),
        cmocka_unit_test(test_without_the_right_to_rise),
        cmocka_unit_test(test_joining_twice_or_never_started),
        cmocka_unit_test(test_a_detached_thread_is_not_waited_for),
        cmocka_unit_test(test_raised_before_waiting_is_not_lost),
        cmocka_unit_test(test_waiting_ends_by_itself_and_not_before),
        cmocka_unit_test(test_two_threads_wake_each_other),
        cmocka_unit_test(test_the_longest_wait_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
