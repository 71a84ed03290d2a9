#include "timeline/records.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum status record_ring_init(struct record_ring *ring, size_t cap)
{
    size_t bytes = cap * sizeof(struct event_record);
    *ring = (struct record_ring){.records = aligned_alloc(alignof(struct event_record), bytes), .cap = cap};
    if (!ring->records)
        return STATUS_MEMORY;
    memset(ring->records, 0, bytes);
    return STATUS_OK;
}

void record_ring_finish(struct record_ring *ring)
{
    free(ring->records);
}

void record_ring_push(struct record_ring *ring, const struct event_record *record)
{
    ring->records[ring->pushed++ % ring->cap] = *record;
}

void record_ring_drop(struct record_ring *ring, uint64_t from_frame)
{
    for (uint64_t i = record_ring_oldest(ring); i < ring->pushed; i++) {
        struct event_record *record = &ring->records[i % ring->cap];
        if (record->at_frame >= from_frame)
            record->at_frame = RECORD_DROPPED;
    }
}

void record_ring_trim(struct record_ring *ring)
{
    while (ring->pushed > 0 && ring->records[(ring->pushed - 1) % ring->cap].at_frame == RECORD_DROPPED)
        ring->pushed--;
}

const struct event_record *record_ring_get(const struct record_ring *ring, uint64_t index)
{
    if (index >= ring->pushed || index < record_ring_oldest(ring))
        return NULL;
    return &ring->records[index % ring->cap];
}

uint64_t record_ring_oldest(const struct record_ring *ring)
{
    return ring->pushed > ring->cap ? ring->pushed - ring->cap : 0;
}

const struct event_record *record_ring_at(const struct record_ring *ring, uint64_t frame)
{
    const struct event_record *found = NULL;
    for (uint64_t i = ring->pushed; i > record_ring_oldest(ring); i--) {
        const struct event_record *record = record_ring_get(ring, i - 1);
        if (record->at_frame <= frame && (!found || record->at_frame > found->at_frame))
            found = record;
    }
    return found;
}
