#include "os/thread.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/frames.h"

// Longer waits end after this: a deadline must not wrap around.
#define WAKEUP_LONGEST_NS (86400 * NS_PER_SECOND)

struct thread_begin {
    char name[16];
    enum thread_class class;
    void (*run)(void *argument);
    void *argument;
};

enum { THREAD_LOWERED = 5, THREAD_LOWEST = 19 };

// A nice value for each class. Below zero needs the right to it.
static int thread_nice(enum thread_class class)
{
    switch (class) {
    case THREAD_RENDER: return -10;
    case THREAD_IO: return -9;
    case THREAD_DOOR:
    case THREAD_STORE: return 0;
    case THREAD_BACKGROUND: return 10;
    }
    return 0;
}

#ifdef __linux__
static bool thread_set_nice(int nice)
{
    return setpriority(PRIO_PROCESS, (id_t)gettid(), nice < THREAD_LOWEST ? nice : THREAD_LOWEST) == 0;
}
#endif

// A process that was told to be nice keeps to it: only render and I/O rise above what they were given. Where that is
// refused those who serve them go below it, which never is.
static void thread_take_place(enum thread_class class)
{
#ifdef __linux__
    int nice = thread_nice(class), given = getpriority(PRIO_PROCESS, (id_t)gettid());
    bool may_rise = thread_set_nice(thread_nice(THREAD_RENDER));
    if (nice < 0)
        (void)thread_set_nice(may_rise ? nice : given);
    else if (class == THREAD_BACKGROUND || may_rise)
        (void)thread_set_nice(given > nice ? given : nice);
    else
        (void)thread_set_nice(given + THREAD_LOWERED);
#endif
}

static void *thread_main(void *argument)
{
    struct thread_begin begin = *(struct thread_begin *)argument;
    free(argument);
#ifdef __linux__
    pthread_setname_np(pthread_self(), begin.name);
#endif
    thread_take_place(begin.class);
    begin.run(begin.argument);
    return NULL;
}

enum status thread_start(struct thread *thread, const char *name, enum thread_class class,
                         void (*run)(void *argument), void *argument)
{
    struct thread_begin *begin = malloc(sizeof *begin);
    if (!begin)
        return STATUS_MEMORY;
    *begin = (struct thread_begin){.class = class, .run = run, .argument = argument};
    strncpy(begin->name, name, sizeof begin->name - 1);
    if (pthread_create(&thread->handle, NULL, thread_main, begin) != 0) {
        free(begin);
        return STATUS_MEMORY;
    }
    thread->running = true;
    return STATUS_OK;
}

static void thread_tell_nice(void *argument)
{
    int *nice = argument;
#ifdef __linux__
    *nice = getpriority(PRIO_PROCESS, (id_t)gettid());
#endif
}

struct thread_priority thread_priority_of(enum thread_class class)
{
    struct thread probe;
    int nice = 0;
    if (thread_start(&probe, "probe", class, thread_tell_nice, &nice) == STATUS_OK)
        thread_join(&probe);
    return (struct thread_priority){.nice = nice, .granted = nice <= thread_nice(class)};
}

void thread_join(struct thread *thread)
{
    if (thread->running)
        pthread_join(thread->handle, NULL);
    thread->running = false;
}

void thread_detach(struct thread *thread)
{
    if (thread->running)
        pthread_detach(thread->handle);
    thread->running = false;
}

int thread_processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

void wakeup_init(struct wakeup *wakeup)
{
    pthread_mutex_init(&wakeup->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifdef __linux__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(&wakeup->raised_now, &attributes);
    pthread_condattr_destroy(&attributes);
    wakeup->raised = false;
}

void wakeup_finish(struct wakeup *wakeup)
{
    pthread_cond_destroy(&wakeup->raised_now);
    pthread_mutex_destroy(&wakeup->mutex);
}

void wakeup_raise(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->mutex);
    wakeup->raised = true;
    pthread_cond_signal(&wakeup->raised_now);
    pthread_mutex_unlock(&wakeup->mutex);
}

static struct timespec wakeup_deadline(uint64_t max_ns)
{
    struct timespec now;
#ifdef __linux__
    clock_gettime(CLOCK_MONOTONIC, &now);
#else
    clock_gettime(CLOCK_REALTIME, &now);
#endif
    uint64_t at = (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
    at = max_ns < WAKEUP_LONGEST_NS ? at + max_ns : at + WAKEUP_LONGEST_NS;
    return (struct timespec){.tv_sec = (time_t)(at / NS_PER_SECOND), .tv_nsec = (long)(at % NS_PER_SECOND)};
}

bool wakeup_wait(struct wakeup *wakeup, uint64_t max_ns)
{
    struct timespec deadline = wakeup_deadline(max_ns);
    pthread_mutex_lock(&wakeup->mutex);
    while (!wakeup->raised)
        if (pthread_cond_timedwait(&wakeup->raised_now, &wakeup->mutex, &deadline) != 0)
            break;
    bool raised = wakeup->raised;
    wakeup->raised = false;
    pthread_mutex_unlock(&wakeup->mutex);
    return raised;
}
