// One writev of a listener: what goes out, and the chunks that have to stay until it has.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "timeline/timeline.h"

enum { PIN_CHUNKS = 16 };

struct listener;

// The chunks of the one send that may be under way.
struct pin {
    int count;
    struct chunk *chunks[PIN_CHUNKS];
    uint64_t send_ns[PIN_CHUNKS];   // when each was to be sent; 0: preroll, not counted
    uint64_t since_ns;
};

// One writev being put together: what goes out, and what has to stay for it.
struct batch {
    struct listener *listener;
    struct iovec slices[PIN_CHUNKS];
    int slice_count;
    int shared_from;
    size_t bytes;
};

struct batch batch_begin(struct listener *listener);
// Bytes of the sender's own; before anything shared.
void batch_own(struct batch *batch, const void *bytes, size_t len);
// Bytes that stand for ever, or as long as a chunk of this batch.
void batch_shared(struct batch *batch, const void *bytes, size_t len);
// Takes over the reference.
void batch_pin(struct batch *batch, struct chunk *chunk, uint64_t send_ns);
// Sends it. False when nothing was taken: the listener is then blocked or closing.
bool batch_send(struct batch *batch, uint64_t now_ns);
