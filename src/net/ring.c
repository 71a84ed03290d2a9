#include "net/ring.h"

#include <stdlib.h>
#include <string.h>

static void ring_append(struct ring *ring, const uint8_t *bytes, size_t len)
{
    size_t end = (ring->at + ring->len) % RING_BYTES;
    size_t first = len < RING_BYTES - end ? len : RING_BYTES - end;
    memcpy(ring->bytes + end, bytes, first);
    memcpy(ring->bytes, bytes + first, len - first);
    ring->len += (uint32_t)len;
}

bool ring_write(struct ring *ring, const struct iovec *slices, int slice_count)
{
    size_t len = 0;
    for (int i = 0; i < slice_count; i++)
        len += slices[i].iov_len;
    if (len > ring_room(ring))
        return false;
    if (!ring->bytes && !(ring->bytes = malloc(RING_BYTES)))
        return false;
    for (int i = 0; i < slice_count; i++)
        if (slices[i].iov_len > 0)
            ring_append(ring, slices[i].iov_base, slices[i].iov_len);
    return true;
}

int ring_spans(const struct ring *ring, struct iovec spans[2])
{
    if (ring->len == 0)
        return 0;
    size_t first = RING_BYTES - ring->at;
    if (first >= ring->len) {
        spans[0] = (struct iovec){.iov_base = ring->bytes + ring->at, .iov_len = ring->len};
        return 1;
    }
    spans[0] = (struct iovec){.iov_base = ring->bytes + ring->at, .iov_len = first};
    spans[1] = (struct iovec){.iov_base = ring->bytes, .iov_len = ring->len - first};
    return 2;
}

size_t ring_take(struct ring *ring, size_t len)
{
    if (len > ring->len)
        len = ring->len;
    ring->at = (uint32_t)((ring->at + len) % RING_BYTES);
    ring->len -= (uint32_t)len;
    if (ring->len == 0)
        ring_finish(ring);
    return len;
}

void ring_finish(struct ring *ring)
{
    free(ring->bytes);
    *ring = (struct ring){0};
}
