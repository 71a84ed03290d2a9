// What a programme leaves behind for the process after this one: a snapshot of about the playhead, now and then, in a
// file. It is a shortcut: without it up to eleven minutes are rendered anew. One thread.
//
// What is written outlives the process at once, though not the machine; it is never waited for that it is on the disk.
// A snapshot that was cut short, or is of another programme, build or boot, is not taken.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "score/mood_log.h"
#include "station/programme.h"
#include "station/snapshots.h"

struct keepsakes {
    int descriptor;          // -1: nothing is kept
    uint64_t identity;
    uint64_t last_frame;     // of the last one written
    bool written, failed;
};

// Every snapshot is written over every second one, so one of them is always whole.
enum { KEEPSAKES_SLOTS = 2 };
// So far apart they are: on a card that wears, a snapshot in two minutes is half a gigabyte a day.
#define KEEPSAKES_APART_FRAMES ((uint64_t)120 * FRAME_RATE)

// path: NULL: nothing is kept.   identity: of programme, build and boot.   A file that cannot be written is logged.
void keepsakes_init(struct keepsakes *keepsakes, const char *path, uint64_t identity);
void keepsakes_finish(struct keepsakes *keepsakes);
// Writes the oldest of the snapshots, if it is so much later than the last that was written.
//   known: sequence number of the last change that they know.
void keepsakes_write(struct keepsakes *keepsakes, const struct snapshots *snapshots, uint64_t known);
// At the start: goes back to the latest one within [begin, frame] that knows all changes of the log that it would have
// to. False when there is none; the programme may then be anything.
bool keepsakes_restore(struct keepsakes *keepsakes, struct programme *programme, const struct mood_log *log,
                       uint64_t begin, uint64_t frame);
