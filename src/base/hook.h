// What one side does when something has happened on the other side, which knows nothing about it.
#pragma once
#include <pthread.h>

struct hook {
    pthread_mutex_t mutex;          // held while `raise` runs, so that it never runs after it was taken away
    void (*raise)(void *context);   // NULL: nothing is done
    void *context;
};

void hook_init(struct hook *hook);
void hook_finish(struct hook *hook);
// `raise` must be short and not call back. NULL takes it away: it is not running any more when this returns. Any
// thread.
void hook_set(struct hook *hook, void (*raise)(void *context), void *context);
// Any thread.
void hook_raise(struct hook *hook);
