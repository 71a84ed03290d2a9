// Threads by class of work, and the one way to wake a thread that sleeps.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum thread_class { THREAD_RENDER, THREAD_IO, THREAD_DOOR, THREAD_STORE, THREAD_BACKGROUND };

struct thread {
    pthread_t handle;
    bool running;
};

// Starts `run(argument)`. name: at most 15 bytes are shown by the system. The class sets the priority: render and I/O
// above door and store, background below all. Where the system refuses to raise render and I/O, door and store are
// lowered instead.   Errors: STATUS_MEMORY.
MUST_USE enum status thread_start(struct thread *thread, const char *name, enum thread_class class,
                                  void (*run)(void *argument), void *argument);
// What a thread of a class gets here: its nice value, and whether it is all that the class asks for. Starts one to see.
struct thread_priority {
    int nice;
    bool granted;
};
struct thread_priority thread_priority_of(enum thread_class class);
// Waits for the end. Harmless when the thread was never started.
void thread_join(struct thread *thread);
// Lets it run on by itself: it is not joined any more, and what it uses must outlive it.
void thread_detach(struct thread *thread);
// Processors that this process may use, at least 1.
int thread_processors(void);

// A level that is raised by any thread and taken by one: raising twice before it is taken counts once.
struct wakeup {
    pthread_mutex_t mutex;
    pthread_cond_t raised_now;
    bool raised;
};

void wakeup_init(struct wakeup *wakeup);
void wakeup_finish(struct wakeup *wakeup);
void wakeup_raise(struct wakeup *wakeup);
// Sleeps until raised or for max_ns of real time (a day at most), then takes the level. True when it was raised.
bool wakeup_wait(struct wakeup *wakeup, uint64_t max_ns);
