// One writev of a listener: what goes out, and the chunks that it stands in.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "timeline/timeline.h"

enum { BATCH_CHUNKS = 16 };

struct listener;

// Chunks, and when each was to be sent; 0: a part of a preroll, not counted.
struct batch_chunks {
    int count;
    struct chunk *chunks[BATCH_CHUNKS];
    uint64_t first_frame[BATCH_CHUNKS];
    uint64_t send_ns[BATCH_CHUNKS];
};

// Of the one send that may be under way: a reference to each chunk, until what is left of them has been copied.
struct pin {
    struct batch_chunks sent;
    uint64_t since_ns;
    bool copied;
};

// One writev being put together. Its chunks are on the loop's shelf.
struct batch {
    struct listener *listener;
    int slice_count, shared_from;
    size_t bytes;
    struct iovec slices[BATCH_CHUNKS];
    struct batch_chunks chunks;
};

void batch_begin(struct batch *batch, struct listener *listener);
// Bytes of the sender's own; before anything shared.
void batch_own(struct batch *batch, const void *bytes, size_t len);
// Bytes that stand for ever, or as long as a chunk of this batch.
void batch_shared(struct batch *batch, const void *bytes, size_t len);
void batch_chunk(struct batch *batch, struct chunk *chunk, uint64_t send_ns);
// Gives the chunks of a send that is still under way back to the station, who could not go on for all others if many
// kept them for long: what is left is copied. Without memory for it the connection is lost.
void batch_let_go(struct listener *listener);
// Sends it. False when nothing was taken: the listener is then blocked or closing.
bool batch_send(struct batch *batch, uint64_t now_ns);
