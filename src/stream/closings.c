#include "stream/closings.h"

#include <stddef.h>

#include "base/frames.h"

#define CLOSINGS_KEEP_NS (300 * NS_PER_SECOND)

void closings_init(struct closings *closings)
{
    pthread_mutex_init(&closings->mutex, NULL);
    closings->count = 0;
}

void closings_finish(struct closings *closings)
{
    pthread_mutex_destroy(&closings->mutex);
}

void closings_remember(struct closings *closings, uint64_t session, uint64_t now_ns, const char *code,
                       const char *reason)
{
    pthread_mutex_lock(&closings->mutex);
    closings->latest[closings->count++ % CLOSINGS] = (struct closing){session, now_ns, code, reason};
    pthread_mutex_unlock(&closings->mutex);
}

const char *closings_find(struct closings *closings, uint64_t session, uint64_t now_ns, const char **reason)
{
    const char *code = NULL;
    pthread_mutex_lock(&closings->mutex);
    uint64_t oldest = closings->count > CLOSINGS ? closings->count - CLOSINGS : 0;
    for (uint64_t i = closings->count; i > oldest && !code; i--) {
        const struct closing *closing = &closings->latest[(i - 1) % CLOSINGS];
        if (closing->session != session || now_ns - closing->at_ns > CLOSINGS_KEEP_NS)
            continue;
        code = closing->code;
        *reason = closing->reason;
    }
    pthread_mutex_unlock(&closings->mutex);
    return code;
}
