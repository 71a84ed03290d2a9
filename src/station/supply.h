// Where a station's chunks come from: a worker, watched. It is asked for one chunk at a time; what it does wrong is
// counted; one that does not come back is replaced. The station's thread.
//
// A failure is an answer that is no sound (RENDER_ERROR, RENDER_NONFINITE), a render call that does not come back while
// its chunk has to be replaced, or one that does not come back within SUPPLY_HUNG_NS (both RENDER_DEADLINE). Three
// without a good chunk between them, or a second worker that hangs while the first still does: the supply is lost.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "station/worker.h"

enum { SUPPLY_MOST_FAILURES = 3 };

#define SUPPLY_LOOK_NS (20 * NS_PER_MS)           // how often to look while a chunk is wanted
#define SUPPLY_PATIENCE_NS (250 * NS_PER_MS)      // no chunk is given up that was wanted for less
#define SUPPLY_HUNG_NS (6 * NS_PER_SECOND)        // beginning anew costs seconds as well
#define SUPPLY_PAUSE_NS (500 * NS_PER_MS)         // before it tries again, for each failure in a row but one

struct supply {
    struct worker_config config;
    struct worker *worker;
    struct worker *abandoned;         // hangs; at most one
    bool asked;                       // the worker's answer has not been looked at
    bool dropped;                     // nor is it wanted any more
    bool missed;                      // the present call's missed deadline has been counted
    bool lost;
    int failures;                     // in a row
    unsigned progress;                // of the worker when it was last looked at
    // All in real time, and only while the station itself was running: a machine that stood still is no failure.
    uint64_t looked_ns, owed_ns, still_ns, resume_ns;
    atomic_uint_fast64_t *counts;     // RENDER_FAILURES of them
};

// counts: RENDER_FAILURES counters, outlive the supply.   Errors: STATUS_MEMORY; supply_finish is harmless then too.
MUST_USE enum status supply_init(struct supply *supply, const struct worker_config *config,
                                 atomic_uint_fast64_t *counts);
void supply_finish(struct supply *supply);
// Looks at the worker while a chunk is wanted; at least every SUPPLY_LOOK_NS.
void supply_watch(struct supply *supply, uint64_t now_ns);
// It can be asked.
bool supply_idle(const struct supply *supply, uint64_t now_ns);
// As worker_ask.
MUST_USE enum status supply_ask(struct supply *supply, const struct mood_log *log, uint64_t first_frame);
// The chunk at first_frame, NULL when it is not there. Answers that come too late are dropped, bad ones counted.
const struct worker_answer *supply_take(struct supply *supply, uint64_t first_frame, uint64_t now_ns);
// What it was asked for is out of date: the answer will be dropped.
void supply_drop(struct supply *supply);
// The chunk that is wanted has been wanted for so long that it may be given up.
bool supply_overdue(const struct supply *supply);
// The chunk that was wanted was replaced.
void supply_miss(struct supply *supply);
// Gives it up as after too many failures.
void supply_lose(struct supply *supply);
// After it was lost: tries again. The first failure loses it again.
void supply_revive(struct supply *supply);
