// Wishes of those who must not wait until a change is kept: a thread of its own submits them, one after the other.
#pragma once
#include <stdbool.h>

#include "base/status.h"
#include "control/control.h"

// Whoever makes it fills in the upper part, and leaves it alone until it is done.
struct wish {
    struct sequencer *sequencer;
    struct mood_patch patch;
    enum control_source source;
    uint64_t hand;
    void (*done)(struct wish *wish);   // on the thread of wishes; must not wait. The wish belongs to its maker again

    enum status status;                // as sequencer_submit returned it
    struct control_result result;      // when that is STATUS_OK
};

struct wishes;

// Errors: STATUS_MEMORY.
MUST_USE enum status wishes_create(struct wishes **wishes);
// Accepts NULL.
void wishes_destroy(struct wishes *wishes);
// Any thread; returns at once. False when too many wait, or wishes have ended: it will not be done.
bool wishes_make(struct wishes *wishes, struct wish *wish);
// No more are taken; all that were have been done when this returns. Not from `done`.
void wishes_end(struct wishes *wishes);
