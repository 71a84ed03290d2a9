// The list that composers write into. Full: further events are cut off.
#pragma once
#include <stdint.h>

#include "base/frames.h"
#include "compose/compose.h"
#include "compose/harmony.h"

struct events {
    struct event *out;
    int count, cap;
    uint64_t from, to;         // frames asked for: from <= at_frame < to
    struct harmony harmony;    // where the last composer stood, so that the next one need not walk there again
};

// Adds an event if its frame was asked for.
void events_add(struct events *events, const struct event *event);
void events_add_note(struct events *events, uint64_t at_frame, const struct note *note);
// By frame, then kind, then id.
void events_sort(struct events *events);

// A note's id: a lane begins one note at a frame at most.
static inline uint64_t note_id(uint64_t at_frame, enum instrument instrument, int lane)
{
    return at_frame / CONTROL_FRAMES << 12 | (uint64_t)instrument << 6 | (uint64_t)lane;
}

// What the beats of a programme bring within a range: points at `beats` with low <= beats < high.
struct beat_range {
    uint64_t low, high;
};
// The points whose frame, rounded up to 64, lies in from <= frame < to.
static inline struct beat_range beat_range_of(const struct mood_log *log, uint64_t from, uint64_t to)
{
    uint64_t low = from == 0 ? 0 : mood_log_beats(log, from - CONTROL_FRAMES) + 1;
    return (struct beat_range){low, mood_log_beats(log, to - CONTROL_FRAMES) + 1};
}
