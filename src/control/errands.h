// Errands: sound that somebody wants made apart from what is on air. Any thread asks; who runs them
// (station/background.h) takes one after the other.
#pragma once
#include <stdbool.h>

#include "base/status.h"
#include "control/control.h"

struct tape;

enum { ERRANDS_WAITING = 16 };

struct errand {
    struct tape *tape;             // to be filled with what it is of, and to be ended (timeline/tapes.h)
    uint64_t known;                // sequence number of the last entry of the log that it may know
    struct control_entry change;   // of a trial: as if this had been made behind that
};

struct errands;

// NULL when memory is short.
struct errands *errands_create(void);
// Accepts NULL.
void errands_destroy(struct errands *errands);
// Any thread; returns at once. False when too many wait: it will not be run.
bool errands_ask(struct errands *errands, const struct errand *errand);
// One thread. False when there is none.
bool errands_take(struct errands *errands, struct errand *errand);
// As hook_set: `raise` is called by who asks.
void errands_on_ask(struct errands *errands, void (*raise)(void *context), void *context);
