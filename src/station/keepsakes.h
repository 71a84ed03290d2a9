// What a programme leaves behind for the process after this one: a snapshot of about the playhead, now and then, in a
// file. It is a shortcut: without it up to eleven minutes are rendered anew.
//
// A thread of its own writes, below all others: a disk may take its time. What is written outlives the process at once,
// though not the machine. A snapshot that was cut short, or is of another programme, build or boot, is not taken.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/thread.h"
#include "score/mood_log.h"
#include "station/programme.h"
#include "station/snapshots.h"

// They are written in two places by turns, so one of them is always whole.
enum { KEEPSAKES_SLOTS = 2 };
// So far apart they are: on a card that wears, a snapshot in two minutes is half a gigabyte a day.
#define KEEPSAKES_APART_FRAMES ((uint64_t)120 * FRAME_RATE)

struct keepsakes {
    int descriptor;          // -1: nothing is kept
    uint64_t identity;
    uint64_t last_frame;     // of the last one
    bool any;                // there is a last one
    int slot;                // for the next one
    // The writer's while it is busy.
    struct thread writer;
    struct wakeup asked;
    atomic_bool busy, ending;
    uint64_t frame, known, log_hash;
    int parts;
    unsigned char *copy;     // room for two parts
};

// path: NULL: nothing is kept.   identity: of programme, build and boot.   Room on the disk is claimed at once; where
// there is none, or no memory, that is logged, and nothing is kept.
void keepsakes_init(struct keepsakes *keepsakes, const char *path, uint64_t identity);
// Waits for what is being written.
void keepsakes_finish(struct keepsakes *keepsakes);
// Has the oldest of the snapshots written, if it is so much later than the last. Copies it, and returns at once.
//   log: all that they know.
void keepsakes_write(struct keepsakes *keepsakes, const struct snapshots *snapshots, const struct mood_log *log);
// At the start: goes back to the latest one within [begin, frame] that knows all changes of the log that it would have
// to. False when there is none; the programme may then be anything.
bool keepsakes_restore(struct keepsakes *keepsakes, struct programme *programme, const struct mood_log *log,
                       uint64_t begin, uint64_t frame);
