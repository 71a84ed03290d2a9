// `clicks_find` over material of any length: in segments that overlap, so that a day takes no more memory than half a
// minute.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ear/clicks.h"

struct click_finder {
    float *sound;                // the segment so far, interleaved stereo
    size_t frames;
    size_t looked;               // frames of it that have been looked at
    uint64_t first_frame;        // of the segment
    struct click *found;         // ascending; `frame` as it was given
    size_t count, cap;
};

// Errors: STATUS_MEMORY.
MUST_USE enum status click_finder_init(struct click_finder *finder);
// Harmless on an all-zero finder.
void click_finder_finish(struct click_finder *finder);
// What comes next. Where it does not continue what came before, that is a gap, not a click: a new segment begins.
// Errors: STATUS_MEMORY.
MUST_USE enum status click_finder_add(struct click_finder *finder, uint64_t first_frame, const float *sound,
                                      size_t frames);
// Looks at the rest: then `found` is complete.   Errors: STATUS_MEMORY.
MUST_USE enum status click_finder_end(struct click_finder *finder);
