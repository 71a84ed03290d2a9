// The chunks that one loop sends in one turn: each is taken from the timeline once, however many listeners get it, and
// given back when the turn ends. So the lock of a timeline and the count of a chunk, which all loops share, are touched
// once a turn instead of once a listener. One I/O loop's thread.
#pragma once
#include <stdint.h>

#include "timeline/timeline.h"

// More than one batch holds, so that the chunks of a batch never drive each other out.
enum { SHELF_CHUNKS = 32 };

struct shelf {
    struct {
        const struct timeline *timeline;
        uint32_t generation;     // of its format when it was taken: a splice may have replaced it since
        struct chunk *chunk;
    } places[SHELF_CHUNKS];
    uint32_t taken;              // bit n: place n holds a chunk
};

// The chunk that begins at first_frame, NULL when it is not there. It stays until the shelf is cleared or its place is
// needed: any SHELF_CHUNKS in a row have places of their own. Who needs it longer retains it.
struct chunk *shelf_chunk(struct shelf *shelf, struct timeline *timeline, enum format format, uint64_t first_frame);
// The turn is over.
void shelf_clear(struct shelf *shelf);
