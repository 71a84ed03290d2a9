// Every wish to change the music goes through one sequencer per station: validated, stamped with its frame and its
// sequence number, logged, delivered. Any thread may submit; the station alone takes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"
#include "os/clock.h"
#include "score/mood_log.h"

enum control_source { CONTROL_USER, CONTROL_AUTO };

enum { CONTROL_HISTORY = 50, CONTROL_WARNINGS = 4 };

// A change may be heard so long before its frame, for the limiter looks ahead: what sounds before that is the same with
// or without it.
enum { CONTROL_EARLY_FRAMES = PACKET_FRAMES };

// The first frame at which a change may be heard.
static inline uint64_t control_heard_from(uint64_t at_frame)
{
    return at_frame < CONTROL_EARLY_FRAMES ? 0 : at_frame - CONTROL_EARLY_FRAMES;
}

// The generation of sound before `end_frame`: the number of the last change that it may have anything of.
static inline uint32_t control_generation(const struct mood_log *log, uint64_t end_frame)
{
    return (uint32_t)mood_log_at(log, end_frame + CONTROL_EARLY_FRAMES - 1)->sequence;
}

// A sequencer has CONTROL_BURST changes to give at once and gains CONTROL_PER_SECOND of them a second: enough for a
// slider that is dragged. Undo and redo count as well; a wish that alters nothing costs nothing. Whoever steers is told
// apart by its `hand`, a number that stays the same for one listener or one address: a hand gets a change only while
// more are left than it has had within the last second, so that no hand uses up what others need.
enum { CONTROL_BURST = 50, CONTROL_PER_SECOND = 20 };

// A change as it is kept. With the mood at frame 0 these are all that is needed to go on with a programme.
struct control_entry {
    uint64_t sequence, at_frame;
    uint64_t timestamp_ms;       // unix
    struct mood mood;
    uint64_t wake_frame;         // as in struct mood_entry
};

// Appends it to a log of its programme.   Errors: as mood_log_copy.
MUST_USE enum status control_append(struct mood_log *log, const struct control_entry *entry);

struct control_config {
    const struct clock *clock;
    uint64_t origin_ns;          // clock time of frame 0
    uint64_t guard_frames;       // from receipt to effect, until sequencer_set_guard
    uint64_t apart_frames;       // changes take effect together or so far apart at least; a multiple of 960
    struct mood mood;            // at frame 0
    const struct control_entry *past;   // changes that were made before, from sequence number 1 on
    size_t past_count;
    // Keeps a change for good before it is in force and anybody learns of it; what it refuses has not happened. If its
    // frame is over by then it is kept again, in place of itself. On the thread of who submits, one at a time; may
    // wait. NULL: nothing outlives the process.
    enum status (*keep)(void *context, const struct control_entry *entry);
    void *keep_context;
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

// NULL when memory is short, or frames of the past run backwards.
struct sequencer *sequencer_create(const struct control_config *config);
void sequencer_destroy(struct sequencer *sequencer);

// Stamps at_frame = frame(now) + guard rounded up to 960. Changes in quick succession, as of a slider that is dragged,
// come together: a frame that is too close to that of the change before is put off until it is not, and what is
// submitted until then takes effect there as well. A wish that alters nothing logs nothing: result then tells the last
// entry, changed is 0.
// Errors: STATUS_INVALID (a value that mood.def does not allow), STATUS_RATE_LIMITED, STATUS_MEMORY, those of `keep`.
// After an error nothing has changed and *result is untouched; what could not be kept counts against the credit.
MUST_USE enum status sequencer_submit(struct sequencer *sequencer, const struct mood_patch *patch,
                                      enum control_source source, uint64_t hand, struct control_result *result);
// What the change would be that a submit made now; none is made. Any thread; does not wait for one that is being kept.
// Errors: STATUS_INVALID.
MUST_USE enum status sequencer_try(const struct sequencer *sequencer, const struct mood_patch *patch,
                                   struct control_entry *entry);
// One step back or forward through the history. A step is what one submit changed: all parameters of a patch go back
// together, so that no mood comes up that never was. Any submit that alters something ends what could be redone. A step
// is gone once one of its changes has fallen out of the history.
// Errors: STATUS_CONFLICT (nothing to undo or redo), STATUS_RATE_LIMITED, STATUS_MEMORY, as above.
MUST_USE enum status sequencer_undo(struct sequencer *sequencer, uint64_t hand, struct control_result *result);
MUST_USE enum status sequencer_redo(struct sequencer *sequencer, uint64_t hand, struct control_result *result);
// The station has slept, for nobody listened: its programme begins from silence at `wake_frame`, which nobody has heard
// nor will before this. Kept and logged like a change, though nothing of the mood changes: no step of the history, and
// it costs no credit.
//   wake_frame: multiple of 4,800. If it is that of the last time there is nothing to log.
// Errors: STATUS_INVALID (it is before that of the last time, as when a clock has gone back), STATUS_MEMORY, those of
// `keep`. Nothing has happened then.
MUST_USE enum status sequencer_wake(struct sequencer *sequencer, uint64_t wake_frame);
// The mood after the last change, in force or about to be; any thread.
struct mood sequencer_mood(const struct sequencer *sequencer);
// Sequence number of the last entry; any thread, lock-free.
uint64_t sequencer_latest(const struct sequencer *sequencer);
// That of the last one that changed the mood.
uint64_t sequencer_steered(const struct sequencer *sequencer);
uint64_t sequencer_guard_frames(const struct sequencer *sequencer);
// From the next change on. Any thread.
void sequencer_set_guard(struct sequencer *sequencer, uint64_t frames);
uint64_t sequencer_apart_frames(const struct sequencer *sequencer);
// That of the last one in force at a frame.
uint64_t sequencer_in_force(const struct sequencer *sequencer, uint64_t frame);
// What there is to know for sound before a frame, all of one moment.
struct control_view {
    uint64_t known;         // sequence number of the last entry there is
    uint32_t generation;    // of that sound, as by control_generation
    uint64_t woken_frame;   // where the programme began from silence last before the frame
};
struct control_view sequencer_view(const struct sequencer *sequencer, uint64_t end_frame);
// Copies up to cap entries from index `first` on; an entry's index is its sequence number, 0 the mood at frame 0.
// Returns how many. Any thread.
size_t sequencer_entries(const struct sequencer *sequencer, size_t first, struct mood_entry *out, size_t cap);

// One change of one parameter, for the history. `before` and `after` are the whole moods around its step.
struct control_change {
    uint64_t timestamp_ms;      // unix
    enum mood_id parameter;
    struct mood before, after;
    enum control_source source;
};
// The last 50 changes that are in force (undone ones are not), oldest first; out holds CONTROL_HISTORY. Returns how
// many. Any thread.
int sequencer_history(const struct sequencer *sequencer, struct control_change *out);

// Appends to `log` all entries that the station has not taken yet.
//   log: begun by mood_log_init with the same mood at frame 0.
// Errors: STATUS_MEMORY; the next call goes on where this one stopped.
MUST_USE enum status sequencer_take(struct sequencer *sequencer, struct mood_log *log);
// As hook_set: `raise` is called when there is something to take, by whoever submitted it.
void sequencer_on_change(struct sequencer *sequencer, void (*raise)(void *context), void *context);
