// When a chunk is sent: pure functions of frames and clock times (doc/protocol.md, sections 1 and 2).
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"
#include "wire/lead.h"

enum { PACE_AT_ONCE = 10 };   // chunks of the first second

#define PACE_STEP_NS (50 * NS_PER_MS)

// One run of chunks: from joining, or from the last skip.
struct pace {
    uint64_t origin_ns;      // clock time of frame 0; wraps around when that was before the clock began
    struct lead lead;        // how far ahead of the playhead a chunk is due
    uint32_t delivery_frames; // so many are due at a time, when their first one is; a multiple of CHUNK_FRAMES
    uint32_t phase_frames;   // 0 .. delivery_frames - 1
    uint64_t start_ns;       // clock time at which the run began
    uint64_t start_frame;    // its first chunk
    uint64_t catch_up_ns;    // clock time since when it has been catching up; 0: it has not
    uint64_t catch_up_frame; // the first chunk of that
};

// Listener number n is due so much at a time. Phases go in golden-ratio steps, so any number of successive listeners
// are spread evenly.
void pace_deliver(struct pace *pace, uint32_t n, uint32_t delivery_frames);
// The live playhead; 0 before the programme begins.
uint64_t pace_live_frame(const struct pace *pace, uint64_t now_ns);
// The first frame of the chunk at the live playhead.
uint64_t pace_live_chunk(const struct pace *pace, uint64_t now_ns);
// Begins a run at the chunk at the live playhead; when that is not ready, at the one after it, for there is time to
// make that one. Returns its first frame.
uint64_t pace_start(struct pace *pace, uint64_t now_ns, bool ready);
// The listener has fallen behind its run and goes on at `frame`: with a second at once or without, then at twice real
// time. What it was owed by the run stays owed.
void pace_catch_up(struct pace *pace, uint64_t now_ns, uint64_t frame, bool at_once);
// The end of all that the run owes by now.
uint64_t pace_owed_until(const struct pace *pace, uint64_t now_ns);
// Begins a run at a frame.
void pace_start_at(struct pace *pace, uint64_t now_ns, uint64_t first_frame);
// After the start of the run, chunk k is not sent before this: 0 for the first second, then twice real time, as much as
// a delivery at a time.
uint64_t pace_delay_ns(const struct pace *pace, uint64_t k);
// How long ago a client that plays at its phase had played all frames before `end_frame`; negative: it has not yet.
int64_t pace_played_ns(const struct pace *pace, uint64_t end_frame, uint64_t now_ns);
// Send due time: first frame of its delivery - lead + phase, as clock time; 0 when that is before the clock began.
uint64_t pace_due_ns(const struct pace *pace, uint64_t first_frame);
// When the chunk is sent: at its due time, but not before the run, and what it has to catch up, allow it.
uint64_t pace_send_ns(const struct pace *pace, uint64_t first_frame);
// The first delivery of the run, or of its catching up, that is sent at its due time; all later ones are too.
uint64_t pace_burst_until(const struct pace *pace);
