// Old clients cannot replace what they hold, so they hear a change from their next chunk on: that one leads over from
// what they would have heard to what is now. It is made once for all listeners of a loop who stand at the same place.
// One I/O loop's thread.
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "timeline/pool.h"
#include "timeline/timeline.h"

enum {
    JOINS_KEPT = 8,                  // four tiers, each at two chunks, since phases are spread over one
    JOINS_CHUNKS = 2 * JOINS_KEPT,   // as many again are on their way
};

struct joins {
    struct chunk_pool pool;
    struct {
        const struct chunk_pool *of; // the lane of a station
        uint32_t from_generation;
        struct chunk *chunk;         // NULL: none yet
    } kept[JOINS_KEPT];
    unsigned oldest;
};

// Claims its memory.   Errors: STATUS_MEMORY; joins_finish is harmless then too.
MUST_USE enum status joins_init(struct joins *joins);
// Nobody may have a chunk of it any more.
void joins_finish(struct joins *joins);
// A chunk that fades from one to the other: linearly, over the whole of it.
//   from, to: of the legacy format and of the same frame, in two generations.
// Returns it with a reference for the caller; NULL when too many are on their way.
struct chunk *joins_chunk(struct joins *joins, const struct chunk *from, const struct chunk *to);
