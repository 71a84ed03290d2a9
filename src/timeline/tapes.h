// Tapes: stretches of sound that are made apart from what is on air, for who asks for some of the past, of what is to
// come, or of what would be under another control. A tape is filled by one thread, from its beginning, and read by any
// number of listeners meanwhile and after; it stays for a while when nobody reads it any more, for who asks next.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"
#include "timeline/timeline.h"

enum {
    TAPES_MAKING = 8,              // no more are made at the same time,
    TAPES_MAKING_FOR_ONE = 2,      // nor for one who asks
    TAPES_BYTES = 32 << 20,        // of sound, at most, of all together
    TAPES_IDLE_BYTES = 8 << 20,    // of those that nobody reads
    TAPE_LEAD_IN_CHUNKS = 4,       // before the first one of a tape in Opus, so that a fresh decoder comes true by then
};

// What a tape is of. Where all this is equal the sound is.
struct tape_subject {
    int station;                   // which one
    enum format format;            // one that travels in messages of v2
    uint64_t first_frame, end_frame;   // multiples of 4,800, the first below the second
    uint32_t generation;           // the last change that it has anything of
    uint64_t woken_frame;          // where the programme that it ends in began from silence
    bool trial;                    // with a change that is not made: like no other tape
};

enum tape_state { TAPE_MAKING, TAPE_WHOLE, TAPE_BROKEN };

struct tape;
struct tapes;

// Where it begins: with its lead-in.
static inline uint64_t tape_begin_frame(const struct tape_subject *subject)
{
    uint64_t before = format_is_opus(subject->format) ? TAPE_LEAD_IN_CHUNKS * (uint64_t)CHUNK_FRAMES : 0;
    return subject->first_frame > before ? subject->first_frame - before : 0;
}

// NULL when memory is short.
struct tapes *tapes_create(void);
// Every tape must have been released, and ended. Accepts NULL.
void tapes_destroy(struct tapes *tapes);
// The tape of a subject, for the caller to read and to release.
//   asker: by whom those are told apart who ask; 0: nobody's turn.
//   blank: out, it is a new one: the caller has to have it made, or to end it.
// Errors: STATUS_FULL (too many are being made, or those that are read leave no room), STATUS_MEMORY.
MUST_USE enum status tapes_take(struct tapes *tapes, const struct tape_subject *subject, uint64_t asker,
                                struct tape **tape, bool *blank);
// Bytes of sound that all of them hold or will hold.
size_t tapes_bytes(struct tapes *tapes);

// --- its readers, any thread, until they release it ---
const struct tape_subject *tape_subject(const struct tape *tape);
// Chunks that it will have.
int tape_length(const struct tape *tape);
// Its chunk number n, NULL when that is not there, or not yet. It is there as long as the tape.
struct chunk *tape_chunk(const struct tape *tape, int n);
enum tape_state tape_state(const struct tape *tape);
void tape_release(struct tape *tape);

// --- its maker, one thread, until it ends it ---
// Takes over the caller's reference.
void tape_append(struct tape *tape, struct chunk *chunk);
// There will be no more. What is not whole is broken.
void tape_end(struct tape *tape);
// Ends it if nobody reads it any more. True: it has.
bool tape_end_unwanted(struct tape *tape);
