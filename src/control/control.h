// Every wish to change the music goes through one sequencer per station: validated, stamped with its frame and its
// sequence number, logged, delivered. Any thread may submit; the station alone takes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "os/clock.h"
#include "score/mood_log.h"

enum control_source { CONTROL_USER, CONTROL_AUTO };

enum { CONTROL_HISTORY = 50, CONTROL_WARNINGS = 4 };

struct control_config {
    const struct clock *clock;
    uint64_t origin_ns;          // clock time of frame 0
    uint64_t guard_frames;       // from receipt to effect
    struct mood mood;            // at frame 0
};

// What a change came to.
struct control_result {
    uint64_t sequence, at_frame;
    uint64_t timestamp_ms;                       // unix
    uint32_t changed;                            // bits of mood_id; 0: nothing was different, nothing was logged
    struct mood mood;
    const char *warnings[CONTROL_WARNINGS];      // static texts
    int warning_count;
};

struct sequencer;

// Errors: NULL when memory is short.
struct sequencer *sequencer_create(const struct control_config *config);
void sequencer_destroy(struct sequencer *sequencer);

// Stamps at_frame = frame(now) + guard rounded up to 960, but never before what the station has already begun to render
// or before an earlier entry.   Errors: STATUS_RATE_LIMITED; STATUS_MEMORY.
MUST_USE enum status sequencer_submit(struct sequencer *sequencer, const struct mood_patch *patch,
                                      enum control_source source, struct control_result *result);
// One step back or forward through the last 50 changes.   Errors: STATUS_CONFLICT (nothing to undo or redo).
MUST_USE enum status sequencer_undo(struct sequencer *sequencer, struct control_result *result);
MUST_USE enum status sequencer_redo(struct sequencer *sequencer, struct control_result *result);
// The mood after the last change, in force or about to be; any thread.
struct mood sequencer_mood(const struct sequencer *sequencer);
// Sequence number of the last change; any thread, lock-free.
uint64_t sequencer_latest(const struct sequencer *sequencer);
uint64_t sequencer_guard_frames(const struct sequencer *sequencer);
// Copies up to cap entries from index `first` on. Returns how many. Any thread.
size_t sequencer_entries(const struct sequencer *sequencer, size_t first, struct mood_entry *out, size_t cap);

// One change of one parameter, for the history.
struct control_change {
    uint64_t timestamp_ms;
    enum mood_id parameter;
    struct mood before, after;
    enum control_source source;
};
// Oldest first; out holds CONTROL_HISTORY. Returns how many.
int sequencer_history(const struct sequencer *sequencer, struct control_change *out);

// The station: promises to render nothing before `horizon` under entries stamped from now on, and appends to `log` all
// entries with at_frame < horizon that it has not taken yet.   Errors: STATUS_MEMORY.
MUST_USE enum status sequencer_take(struct sequencer *sequencer, uint64_t horizon, struct mood_log *log);
