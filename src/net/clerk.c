#include "net/clerk.h"

#include <stdlib.h>

#include "net/server.h"

// Two to one, so that what is answered always has a place.
enum { CLERK_ASKED = 1024, CLERK_ANSWERED = 2048 };

static void clerk_answer(struct clerk *clerk, struct errand *errand)
{
    const struct net_handlers *handlers = clerk->handlers;
    handlers->request(handlers->request_context, errand->request, &errand->response);
    while (!queue_push(&clerk->answered, &errand)) {
    }
    clerk->done(clerk->context);
}

static void clerk_run(void *argument)
{
    struct clerk *clerk = argument;
    struct errand *errand;
    while (!atomic_load(&clerk->ending)) {
        if (queue_pop(&clerk->asked, &errand))
            clerk_answer(clerk, errand);
        else
            wakeup_wait(&clerk->wake, UINT64_MAX);
    }
}

enum status clerk_start(struct clerk *clerk, const struct net_handlers *handlers, void (*done)(void *context),
                        void *context)
{
    *clerk = (struct clerk){.handlers = handlers, .done = done, .context = context};
    wakeup_init(&clerk->wake);
    if (queue_init(&clerk->asked, sizeof(struct errand *), CLERK_ASKED) != STATUS_OK ||
        queue_init(&clerk->answered, sizeof(struct errand *), CLERK_ANSWERED) != STATUS_OK)
        return STATUS_MEMORY;
    return thread_start(&clerk->thread, "clerk", THREAD_DOOR, clerk_run, clerk);
}

static void clerk_forget(struct queue *queue)
{
    struct errand *errand;
    while (queue->cells && queue_pop(queue, &errand)) {
        free(errand->response.head);
        free(errand);
    }
    queue_finish(queue);
}

void clerk_finish(struct clerk *clerk)
{
    atomic_store(&clerk->ending, true);
    wakeup_raise(&clerk->wake);
    thread_join(&clerk->thread);
    clerk_forget(&clerk->asked);
    clerk_forget(&clerk->answered);
    wakeup_finish(&clerk->wake);
}

bool clerk_ask(struct clerk *clerk, struct errand *errand)
{
    if (!queue_push(&clerk->asked, &errand))
        return false;
    wakeup_raise(&clerk->wake);
    return true;
}

struct errand *clerk_take(struct clerk *clerk)
{
    struct errand *errand;
    return queue_pop(&clerk->answered, &errand) ? errand : NULL;
}
