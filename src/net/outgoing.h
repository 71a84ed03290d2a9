// What one WebSocket still has to send, in the order of the wire: a shared message that is under way, queued texts, a
// shared message that has not begun, the close frame. Knows no socket: bytes are gathered, and taken off as they go.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/ring.h"
#include "wire/websocket.h"

enum {
    OUTGOING_MAX_SLICES = 16,
    OUTGOING_MAX_SPANS = OUTGOING_MAX_SLICES + 3,
    OUTGOING_CLOSE_BYTES = 2 + 125,
};

struct outgoing {
    struct ring texts;
    void (*release)(void *pin, bool sent);     // NULL while nothing is shared
    uint8_t close_at, close_len;
    bool under_way;                            // a part of the shared message is out
    int shared_at, shared_count, own_count;    // slices below own_count belong to the caller of the moment
    void *pin;
    uint8_t *own;                              // the copy of such slices
    struct iovec shared[OUTGOING_MAX_SLICES];  // the rest of the shared message: from shared_at
    uint8_t close_frame[OUTGOING_CLOSE_BYTES];
};

bool outgoing_empty(const struct outgoing *outgoing);
// Bytes as they are, after the texts so far. False: no room, or no memory; nothing was taken.
bool outgoing_raw(struct outgoing *outgoing, const struct iovec *slices, int slice_count);
// Takes a shared message; only while there is none. The first own_count slices are valid until the caller returns.
//   release: called once; sent: all of it has gone out.
void outgoing_share(struct outgoing *outgoing, const struct iovec *slices, int slice_count, int own_count,
                    void (*release)(void *pin, bool sent), void *pin);
// Copies what is left of the caller's own slices. False: no memory.
bool outgoing_keep_own(struct outgoing *outgoing);
// Copies all that is left of the shared message, so that it need not stand any more. False: no memory.
bool outgoing_keep_all(struct outgoing *outgoing);
// Bytes that are still to be gathered.
size_t outgoing_bytes(const struct outgoing *outgoing);
// Forgets the shared message without releasing it.
void outgoing_unshare(struct outgoing *outgoing);
// Releases a shared message that has not begun.
void outgoing_drop_unbegun(struct outgoing *outgoing);
// The last frame. code 1005 stands for no code.   reason: may be NULL, at most 123 bytes are sent.
void outgoing_close(struct outgoing *outgoing, int code, const char *reason);
// All that is to be sent, in order. Returns the number of spans.
int outgoing_gather(const struct outgoing *outgoing, struct iovec spans[OUTGOING_MAX_SPANS]);
// Takes off what the kernel has accepted. Releases the shared message when it is out.
void outgoing_sent(struct outgoing *outgoing, size_t len);
// Releases and frees what is left.
void outgoing_finish(struct outgoing *outgoing);
