// Wishes of listeners, from JSON to the sequencer and back; and what is in force. On the listener's loop.
#pragma once
#include "control/control.h"
#include "control/mood_json.h"
#include "control/wishes.h"
#include "stream/stream.h"

struct listener;
struct stream_loop;

enum { STEER_WAITING = 256 };   // wishes of one loop that wait to be kept, at most

// A wish, and what came of it.
struct steering {
    struct wish wish;               // first: whoever is told of it finds the rest
    struct mood_refusal refusal;    // when its status is STATUS_INVALID
    struct listener *listener;
    json_t *id;                     // what its message is called; NULL: nothing
};

// Reads a partial mood and makes a wish of it; keys in `ignored` are passed over. The protocol's `answered` is told
// what came of it, at once or in a later turn of the loop: STATUS_INVALID (with refusal), STATUS_RATE_LIMITED,
// STATUS_MEMORY, or that it could not be kept.   id: kept until then; may be NULL.
void steer(struct listener *listener, const json_t *parameters, const char *const *ignored, json_t *id);
// Tells listeners of a loop what has come of their wishes by now.
void steer_answer(struct stream_loop *loop);
// Forgets what has come of wishes of which nobody can be told any more; wishes have ended.
void steer_forget(struct stream_loop *loop);
// The last change there is.
struct mood_entry steer_latest(const struct stream_station *station);
// What was wrong, as a sentence. Writes cap bytes at most. Returns text.
const char *steer_complaint(const struct steering *steering, char *text, int cap);
