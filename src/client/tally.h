// The arithmetic of a report: what one listener's chunks add to it. No sockets, no clock.
//
// A chunk's position is its first frame (v2) or its sequence number (v0, v1); from one chunk to the next it moves by
// `span`: 4,800 or 1.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"

// One listener.
struct tally {
    uint64_t span;
    uint64_t delivery;           // so many chunks are due at a time
    uint64_t next;               // position that comes next
    uint64_t furthest;           // first position that has never come
    uint64_t steady_from;        // position of the first chunk that comes at its due time
    uint64_t burst_until;        // the same; later when the server skipped and filled up again
    uint64_t excused_until;      // what is due before this comes behind what was sent again
    uint64_t excused;            // so many that were expected came so
    uint64_t outdated;           // so many were to come again and never did
    int64_t connect_ns;          // when connect() was called
    int64_t first_due_ns;        // of the chunk at steady_from
    int64_t last_due_ns, last_arrival_ns;
    int64_t moved_ns, moved_before_ns;  // of the last chunk, of the last one before the window: see struct client_chunk
    bool placed;                 // next and steady_from are known
    bool heard;                  // a chunk has come
    bool steady;                 // first_due_ns is known
    bool paired;                 // last_due_ns and last_arrival_ns are those of the delivery before
};

// What counts: chunks due in it.
struct tally_window {
    int64_t from_ns, end_ns;     // INT64_MAX while they are not known
};

void tally_begin(struct tally *tally, uint64_t span, int64_t connect_ns);
// So many chunks are due at a time, when the first of them is; 1 until set. The burst ends where such a delivery
// begins.
void tally_deliver(struct tally *tally, uint64_t chunks);
// Where the stream will begin (if it does not, that is a gap) and where its burst ends.
void tally_place(struct tally *tally, uint64_t next, uint64_t steady_from);
// The server says that it goes on at `to`, with a burst. Before the first chunk that is where the stream begins. Later
// it is a gap, but for what came before a change and was to come again: that is heard as it was. What comes in the
// burst is missing from what was expected.
void tally_skip(struct tally *tally, uint64_t to, uint64_t burst_until);
// The server says that all from `from` on comes again, with a burst: a change has made it another. What is behind that
// comes later than it would have, and is not expected at its time.
void tally_supersede(struct tally *tally, uint64_t from, uint64_t burst_until);
// On another connection the server goes on at `from`, with a burst: as after a change, and as after a skip for what was
// to come again.
void tally_resume(struct tally *tally, uint64_t from, uint64_t burst_until);
// The burst ends elsewhere: the lead has moved.
void tally_end_burst(struct tally *tally, uint64_t burst_until);
// The chunk at a position comes in a burst.
bool tally_is_burst(const struct tally *tally, uint64_t position);
// A chunk of audio, no preroll; `burst` is set. What is due after the window counts for nothing, of what is due before
// it only gaps do; membership goes by position, so that it does not hang on how well clocks are known.
void tally_chunk(struct tally *tally, const struct client_chunk *chunk, const struct tally_window *window,
                 struct client_report *report);
// Adds what was expected.   first_due_ns: of the chunk at steady_from, if none ever came; INT64_MAX when that is not
// known.
void tally_finish(const struct tally *tally, int64_t first_due_ns, const struct tally_window *window,
                  struct client_report *report);
