// A bounded first-in first-out of bytes whose memory exists only while there is something in it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { RING_BYTES = 16384 };

struct ring {
    uint8_t *bytes;      // NULL while empty
    uint32_t at, len;    // oldest byte, bytes held
};

static inline size_t ring_room(const struct ring *ring)
{
    return RING_BYTES - ring->len;
}

// All of it or nothing. False: no room, or no memory.
bool ring_write(struct ring *ring, const struct iovec *slices, int slice_count);
// What is held, oldest first. Returns how many of the spans are used: 0, 1 or 2.
int ring_spans(const struct ring *ring, struct iovec spans[2]);
// Forgets the oldest bytes, at most `len` of them. Returns how many.
size_t ring_take(struct ring *ring, size_t len);
void ring_finish(struct ring *ring);
