#include "control/errands.h"

#include <stdlib.h>

#include "base/hook.h"
#include "base/queue.h"

struct errands {
    struct queue asked;      // of struct errand
    struct hook on_ask;
};

struct errands *errands_create(void)
{
    struct errands *errands = calloc(1, sizeof *errands);
    if (!errands)
        return NULL;
    hook_init(&errands->on_ask);
    if (queue_init(&errands->asked, sizeof(struct errand), ERRANDS_WAITING) == STATUS_OK)
        return errands;
    errands_destroy(errands);
    return NULL;
}

void errands_destroy(struct errands *errands)
{
    if (!errands)
        return;
    queue_finish(&errands->asked);
    hook_finish(&errands->on_ask);
    free(errands);
}

bool errands_ask(struct errands *errands, const struct errand *errand)
{
    bool taken = queue_push(&errands->asked, errand);
    if (taken)
        hook_raise(&errands->on_ask);
    return taken;
}

bool errands_take(struct errands *errands, struct errand *errand)
{
    return queue_pop(&errands->asked, errand);
}

void errands_on_ask(struct errands *errands, void (*raise)(void *context), void *context)
{
    hook_set(&errands->on_ask, raise, context);
}
