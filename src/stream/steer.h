// Wishes of listeners, from JSON to the sequencer; and what is in force.
#pragma once
#include "control/control.h"
#include "control/mood_json.h"
#include "stream/stream.h"

struct steering {
    struct mood_patch patch;
    struct mood_refusal refusal;
    struct control_result result;
};

// Reads a partial mood and submits it; keys in `ignored` are passed over.   hand: as in control.h.
// Errors: STATUS_INVALID (with refusal), STATUS_RATE_LIMITED, STATUS_MEMORY.
MUST_USE enum status steer(const struct stream_station *station, const json_t *parameters, const char *const *ignored,
                           uint64_t hand, struct steering *steering);
// The last change there is.
struct mood_entry steer_latest(const struct stream_station *station);
// Sequence number of the last change in force at a frame.
uint64_t steer_generation(const struct stream_station *station, uint64_t frame);
// What was wrong, as a sentence. Writes cap bytes at most. Returns text.
const char *steer_complaint(enum status status, const struct steering *steering, char *text, int cap);
