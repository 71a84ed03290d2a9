#include "control/wishes.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/queue.h"
#include "os/thread.h"

enum { WISHES_WAITING = 1024 };

struct wishes {
    struct queue made;          // of struct wish *
    struct wakeup asked;
    struct thread thread;
    pthread_mutex_t mutex;      // so that none is made behind the end
    bool ended;
};

static bool wishes_have_ended(struct wishes *wishes)
{
    pthread_mutex_lock(&wishes->mutex);
    bool ended = wishes->ended;
    pthread_mutex_unlock(&wishes->mutex);
    return ended;
}

static void wishes_run(void *argument)
{
    struct wishes *wishes = argument;
    struct wish *wish;
    for (bool ended = false; !ended;) {
        wakeup_wait(&wishes->asked, UINT64_MAX);
        ended = wishes_have_ended(wishes);
        while (queue_pop(&wishes->made, &wish)) {
            wish->status = sequencer_submit(wish->sequencer, &wish->patch, wish->source, wish->hand, &wish->result);
            wish->done(wish);
        }
    }
}

enum status wishes_create(struct wishes **wishes)
{
    struct wishes *made = calloc(1, sizeof *made);
    if (!made)
        return STATUS_MEMORY;
    wakeup_init(&made->asked);
    pthread_mutex_init(&made->mutex, NULL);
    enum status status = queue_init(&made->made, sizeof(struct wish *), WISHES_WAITING);
    if (status == STATUS_OK)
        status = thread_start(&made->thread, "wishes", THREAD_DOOR, wishes_run, made);
    if (status != STATUS_OK) {
        wishes_destroy(made);
        return status;
    }
    *wishes = made;
    return STATUS_OK;
}

void wishes_end(struct wishes *wishes)
{
    pthread_mutex_lock(&wishes->mutex);
    wishes->ended = true;
    pthread_mutex_unlock(&wishes->mutex);
    wakeup_raise(&wishes->asked);
    thread_join(&wishes->thread);
}

void wishes_destroy(struct wishes *wishes)
{
    if (!wishes)
        return;
    wishes_end(wishes);
    queue_finish(&wishes->made);
    pthread_mutex_destroy(&wishes->mutex);
    wakeup_finish(&wishes->asked);
    free(wishes);
}

bool wishes_make(struct wishes *wishes, struct wish *wish)
{
    pthread_mutex_lock(&wishes->mutex);
    bool taken = !wishes->ended && queue_push(&wishes->made, &wish);
    pthread_mutex_unlock(&wishes->mutex);
    if (taken)
        wakeup_raise(&wishes->asked);
    return taken;
}
