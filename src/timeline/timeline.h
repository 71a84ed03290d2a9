// What a station publishes and listeners read: chunks by format and frame, events by frame. Chunks are immutable and
// reference-counted; a reader takes a reference for as long as it sends. Also counts readers per format: the demand.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "wire/event_record.h"
#include "wire/format.h"

struct chunk_pool;

// Ready to send: opus and pcm are whole WebSocket frames (head, message header, payload), legacy is bare base64.
struct chunk {
    atomic_int references;
    struct chunk_pool *pool;   // NULL: its memory is its own
    uint64_t first_frame;
    uint32_t frame_count;
    uint32_t generation;
    uint8_t format;            // enum format
    uint8_t flags;             // enum message_flag, as its message says
    uint8_t packet_count;
    uint16_t packet_bytes[16];
    uint32_t payload_offset;   // where the payload (Opus packets, PCM, base64) begins in bytes
    uint32_t len;
    uint8_t bytes[];
};

struct timeline;

// How its station is doing.
enum timeline_state {
    TIMELINE_WELL,
    TIMELINE_TROUBLED,   // what comes may be no music for a while, but it comes
    TIMELINE_FAILED,     // nothing comes any more, until it is well again
};

enum {
    TIMELINE_SPLICE_CHUNKS = 10,    // once so many of a splice are there, it is told
    TIMELINE_EVENTS = 1024,         // event records that stay readable
    TIMELINE_EVENTS_OF_KIND = 128,  // of each kind, for timeline_event_at: a section outlives many notes
};

struct timeline_config {
    uint32_t chunks_kept[FORMAT_COUNT];  // how many chunks stay readable, per format; 0: the format is never published
    size_t chunk_bytes[FORMAT_COUNT];    // longest chunk, per format
};

// How many chunks are claimed so that `kept` stay readable: some more, for those that slow readers still send.
static inline uint32_t timeline_pool_chunks(uint32_t kept)
{
    return kept + kept / 2 + 8;
}

// Claims all memory that it will ever use.   Errors: NULL when memory is short.
struct timeline *timeline_create(const struct timeline_config *config);
// Every chunk must have been released. Accepts NULL.
void timeline_destroy(struct timeline *timeline);

// --- the station's side, one thread ---
// An empty chunk to fill, with one reference. NULL when readers pin all of them: that chunk is then not published.
struct chunk *timeline_chunk(struct timeline *timeline, enum format format);
// Publishes and takes over the caller's reference. Replaces what stood at that frame.
//   chunk->first_frame: multiple of 4,800.   generation: the last change that the programme knew of when this was made.
// A higher one than before begins a splice: in the same moment all chunks after this one are gone.
void timeline_publish(struct timeline *timeline, struct chunk *chunk, uint32_t generation);
// Keeps only so many chunks of the format readable, from the next one on, and gives the memory of the others back until
// more are wanted again.   kept: those of timeline_config at most.
void timeline_keep(struct timeline *timeline, enum format format, uint32_t kept);
// Drops all chunks of the format, as when its last reader went.
void timeline_clear(struct timeline *timeline, enum format format);
// Numbers the record and publishes it; the oldest falls out when the ring is full.
void timeline_publish_event(struct timeline *timeline, const struct event_record *record);
// Takes back all event records from a frame on.
void timeline_drop_events(struct timeline *timeline, uint64_t from_frame);
void timeline_set_state(struct timeline *timeline, enum timeline_state state);
// As hook_set: `raise` is called from readers' threads when a format gets its first reader.
void timeline_on_demand(struct timeline *timeline, void (*raise)(void *context), void *context);
// Likewise, from the station's thread when a splice has taken back what was published and its first second is there.
void timeline_on_splice(struct timeline *timeline, void (*raise)(void *context), void *context);

// --- readers, any thread ---
// The chunk that begins at first_frame, with a reference for the caller; NULL when it is not there (yet, or any more).
struct chunk *timeline_acquire(struct timeline *timeline, enum format format, uint64_t first_frame);
// A chunk with room for `bytes` and one reference, of no timeline.   NULL when memory is short.
struct chunk *chunk_create(size_t bytes);
void chunk_retain(struct chunk *chunk);
// Accepts NULL.
void chunk_release(struct chunk *chunk);
// First frame after the latest chunk published; 0 when there is none. Chunks are published in order, so what is missing
// before it (and not older than chunks_kept) had no room and will not come. A splice moves it back.
uint64_t timeline_frontier(const struct timeline *timeline, enum format format);
// The last change that what there is of a format knows of; 0: none. Whoever has chunks that knew of fewer has some that
// are out of date, from where the first of the others takes effect. Lock-free.
uint32_t timeline_generation(const struct timeline *timeline, enum format format);
enum timeline_state timeline_state(const struct timeline *timeline);
void timeline_join(struct timeline *timeline, enum format format);
void timeline_leave(struct timeline *timeline, enum format format);
int timeline_readers(const struct timeline *timeline, enum format format);
// The next event record whose number is above *after, copied into *record; those that were taken back are passed over.
// False when there is none. *after moves to the last one that was looked at.
bool timeline_event_after(struct timeline *timeline, uint64_t *after, struct event_record *record);
// The latest record of a kind with at_frame <= frame. False when there is none.
bool timeline_event_at(struct timeline *timeline, enum event_record_kind kind, uint64_t frame,
                       struct event_record *record);
// Number of the last event published.
uint64_t timeline_last_event(const struct timeline *timeline);
// Bytes of memory claimed.
size_t timeline_bytes(const struct timeline *timeline);
