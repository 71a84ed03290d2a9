#include "base/hook.h"

#include <stddef.h>

void hook_init(struct hook *hook)
{
    *hook = (struct hook){0};
    pthread_mutex_init(&hook->mutex, NULL);
}

void hook_finish(struct hook *hook)
{
    pthread_mutex_destroy(&hook->mutex);
}

void hook_set(struct hook *hook, void (*raise)(void *context), void *context)
{
    pthread_mutex_lock(&hook->mutex);
    hook->raise = raise;
    hook->context = context;
    pthread_mutex_unlock(&hook->mutex);
}

void hook_raise(struct hook *hook)
{
    pthread_mutex_lock(&hook->mutex);
    if (hook->raise)
        hook->raise(hook->context);
    pthread_mutex_unlock(&hook->mutex);
}
