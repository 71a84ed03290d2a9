// When each listener of one loop wants to be served next: a timing wheel of 1 ms slots. One thread. Setting, moving and
// removing an entry take constant time, whatever the number of entries.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"

enum { SCHEDULE_SLOTS = 1024, SCHEDULE_WORDS = SCHEDULE_SLOTS / 64 };

// Part of what is scheduled. All zero: not scheduled.
struct schedule_entry {
    struct schedule_entry *next, *prev;
    uint64_t due_ns;
    int slot;
};

struct schedule {
    struct schedule_entry slots[SCHEDULE_SLOTS];
    struct schedule_entry ready;           // taken out of their slots, not yet popped
    uint64_t occupied[SCHEDULE_WORDS];     // bit n: slot n holds something
    uint64_t turn_ms;                      // the earliest millisecond that has not been taken out yet
    int count;
};

void schedule_init(struct schedule *schedule, uint64_t now_ns);
// Schedules the entry, or moves it. An entry that is set while others are popped is never popped in the same round.
// Returns when it can be popped: due_ns rounded up to a millisecond, or earlier when that is out of the wheel's reach.
uint64_t schedule_set(struct schedule *schedule, struct schedule_entry *entry, uint64_t now_ns, uint64_t due_ns);
// Harmless when it is not scheduled.
void schedule_remove(struct schedule *schedule, struct schedule_entry *entry);
// Takes out one entry that is due, within a millisecond in order of due time. NULL when none is.
struct schedule_entry *schedule_pop(struct schedule *schedule, uint64_t now_ns);
// The entry that is popped after the one that was popped last; NULL when that is not known yet.
static inline struct schedule_entry *schedule_next(const struct schedule *schedule)
{
    return schedule->ready.next == &schedule->ready ? NULL : schedule->ready.next;
}
// When to pop next; UINT64_MAX when nothing is scheduled.
uint64_t schedule_next_ns(const struct schedule *schedule);
