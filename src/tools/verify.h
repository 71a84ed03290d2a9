// Compares what was received with what seed and control log say: PCM samples equal, Opus packets equal to the byte,
// v0 and v1 within one step of 16 bits.
#pragma once
#include <stdint.h>

#include "compose/compose.h"
#include "synth/backend.h"
#include "tools/capture.h"

struct verify_result {
    uint64_t verified;               // messages that are as they should be, all listeners together
    uint64_t mismatches;             // messages that are not
    uint64_t superseded;             // messages that a later change made others: not compared; v0, v1: those that come
                                     // while a change is on its way
    uint64_t unreplaced;             // of these, those for which nothing came in their place
    uint64_t held;                   // messages that say themselves that they stand in for music: not compared
    uint64_t first_frame;            // of the first mismatch; v0, v1: its sequence number
    int first_listener;
};

// v2: every message in the capture, prerolls included, each with an own encode of its format.
//   heard_until: what was heard before this by all listeners cannot have been superseded without being replaced.
// Errors: STATUS_MEMORY, STATUS_IO (the encoder).
MUST_USE enum status verify_messages(const struct capture *capture, uint64_t heard_until,
                                     const struct program *program, const struct backend *backend,
                                     struct verify_result *result);
// v0, v1: each listener's chunks must follow each other as the programme does. Where a listener stands is not told in
// these protocols: its first chunks are looked for in [from_frame, to_frame).   Errors: as above.
MUST_USE enum status verify_tracks(const struct capture *capture, uint64_t from_frame, uint64_t to_frame,
                                   const struct program *program, const struct backend *backend,
                                   struct verify_result *result);
