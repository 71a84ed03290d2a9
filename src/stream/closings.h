// Why the server closed which session, for a few minutes, so that it can be told to one who could not read it. Any
// thread.
#pragma once
#include <pthread.h>
#include <stdint.h>

enum { CLOSINGS = 1024 };   // the latest

struct closing {
    uint64_t session, at_ns;
    const char *code, *reason;
};

struct closings {
    pthread_mutex_t mutex;
    struct closing latest[CLOSINGS];
    uint64_t count;           // so far
};

void closings_init(struct closings *closings);
void closings_finish(struct closings *closings);
// code, reason: stand for ever.
void closings_remember(struct closings *closings, uint64_t session, uint64_t now_ns, const char *code,
                       const char *reason);
// The code, and *reason; NULL when nothing is remembered of it.
const char *closings_find(struct closings *closings, uint64_t session, uint64_t now_ns, const char **reason);
