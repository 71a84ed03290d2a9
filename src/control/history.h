// The last changes, for undo and redo: a list of parameter changes with a mark between those in force and those undone.
// Belongs to the sequencer, which guards it.
#pragma once
#include "control/control.h"

struct history {
    struct control_change changes[CONTROL_HISTORY];
    uint8_t place[CONTROL_HISTORY];   // of a change within its step, from 0
    int count;                        // changes kept
    int applied;                      // the first so many are in force, the others can be redone
};

// Adds one step, a change for each bit of mood_difference(before, after), and drops what could be redone.
void history_add(struct history *history, uint64_t timestamp_ms, const struct mood *before, const struct mood *after,
                 enum control_source source);
// What `applied` is after undoing a step; -1 when there is none. The mood is then changes[that].before.
int history_back(const struct history *history);
// What `applied` is after redoing a step; -1 when there is none. The mood is then changes[that - 1].after.
int history_forward(const struct history *history);
