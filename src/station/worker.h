// The thread that renders one station's programme, a chunk at a time. The station asks and looks, and never waits for
// it: a render call that does not come back costs this thread alone. Everything here is called by the station's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"
#include "os/thread.h"
#include "score/mood_log.h"
#include "station/station.h"
#include "synth/backend.h"

struct worker_config {
    const char *name;                // of the station; its thread's ends in "-render"
    const struct backend *backend;   // outlives the process, or makes its calls come back before it ends
    uint64_t seed;
    struct mood_log_head head;       // of the control log
    const struct mood *mood;         // at frame 0
    const char *keepsakes;           // file of what it leaves behind; NULL: nothing
    uint64_t identity;               // of programme, build and boot, by which it is known again
    uint64_t ahead_frames;           // what it has rendered so far ahead it can go back to quickly
    struct wakeup *done;             // raised when an answer is there
};

// What came of asking.
struct worker_answer {
    uint64_t first_frame;
    enum render_failure failure;     // RENDER_GOOD, RENDER_ERROR or RENDER_NONFINITE
    uint64_t took_ns;                // for this chunk alone
    uint64_t faults;                 // blocks of it silenced because a value was not a number
    float servo_db;
    float chunk[CHUNK_FRAMES * CHANNELS];
};

struct worker;

// Claims its memory and starts its thread.   Errors: STATUS_MEMORY.
MUST_USE enum status worker_create(struct worker **worker, const struct worker_config *config);
// Asks for the chunk at `first_frame`, while it is not busy. It carries on from where it stands; where that is further
// on, or was made without what the log says now, it goes back to a snapshot, some seconds; where neither helps
// it begins anew. After a failure it goes back likewise, each time further.
//   log: what it knew before and what has been added; copied.
// Errors: STATUS_MEMORY; nothing was asked then.
MUST_USE enum status worker_ask(struct worker *worker, const struct mood_log *log, uint64_t first_frame);
// It works on what it was asked.
bool worker_busy(const struct worker *worker);
// The answer to what was asked last; valid while it is not busy.
const struct worker_answer *worker_answer(const struct worker *worker);
// Grows with every render call that comes back.
unsigned worker_progress(const struct worker *worker);
// Tells it to end when its render call comes back, and that nobody waits for it any more. Returns at once.
void worker_dismiss(struct worker *worker);
// A dismissed worker has ended.
bool worker_ended(const struct worker *worker);
// Dismisses it and waits a second at most. If it has not ended then it is left to itself, and its memory with it until
// its render call comes back. Accepts NULL.
void worker_destroy(struct worker *worker);
// Of a worker with these ahead_frames; and of these bytes those of its snapshots.
size_t worker_bytes(uint64_t ahead_frames);
size_t worker_snapshot_bytes(uint64_t ahead_frames);
