// Clicks in what one listener hears, looked for while it listens. What the score explains is taken out at the end, when
// the control log is known.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "compose/compose.h"
#include "ear/click_finder.h"

struct click_watch {
    struct click_finder finder;  // frames count from the station's beginning
    uint64_t watched_frames;     // in all
};

struct click_result {
    uint64_t watched_frames;
    size_t explained;            // at the sharp onset of a note
    size_t clicks;               // at none
    struct click first;          // of those at none
};

// Errors: STATUS_MEMORY.
MUST_USE enum status click_watch_init(struct click_watch *watch);
// Harmless on an all-zero watch.
void click_watch_finish(struct click_watch *watch);
// Whether a note begins with this event and rises so fast that it may sound like a click.
bool click_watch_is_sharp(const struct event *event);
// Asks the score which of the clicks are sharp onsets of notes.   first_frame: of the programme, from where theirs
// count.
struct click_result click_watch_explain(const struct program *program, uint64_t first_frame, const struct click *found,
                                        size_t count);
// What is heard next. Where it does not continue what came before, that is a gap, not a click: a new stretch begins.
// Errors: STATUS_MEMORY.
MUST_USE enum status click_watch_add(struct click_watch *watch, uint64_t first_frame, const float *sound,
                                     size_t frames);
// Looks at the rest, and asks the score about every suspect.   Errors: STATUS_MEMORY.
MUST_USE enum status click_watch_judge(struct click_watch *watch, const struct program *program,
                                       struct click_result *result);
