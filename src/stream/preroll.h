// What a fresh Opus decoder is fed before its first chunk.
#pragma once
#include "stream/listener.h"
#include "wire/message.h"
#include "wire/websocket.h"

enum {
    PREROLL_HEAD_BYTES = WEBSOCKET_MAX_HEAD_BYTES + MESSAGE_HEADER_BYTES + 2 * MESSAGE_MAX_PACKETS,
    // The last packet of one chunk, then three whole ones.
    PREROLL_CHUNKS = (MESSAGE_MAX_PACKETS + CHUNK_PACKETS - 1) / CHUNK_PACKETS,
};

// Adds the 16 packets of the listener's rung before `frame` as one message, straight from their chunks: fewer when
// fewer are there, nothing when there are none. The batch must be empty.
//   head: PREROLL_HEAD_BYTES that stay until the batch has been sent.
void preroll_add(struct batch *batch, uint8_t *head, uint64_t frame);
