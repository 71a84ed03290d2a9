// The last event records in order, the oldest falling out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "wire/event_record.h"

#define RECORD_DROPPED UINT64_MAX

struct record_ring {
    struct event_record *records;
    size_t cap;
    uint64_t pushed;   // records ever pushed
};

// The memory is touched, so no later use faults.
// Errors: STATUS_MEMORY; record_ring_finish is harmless then too.
MUST_USE enum status record_ring_init(struct record_ring *ring, size_t cap);
void record_ring_finish(struct record_ring *ring);
void record_ring_push(struct record_ring *ring, const struct event_record *record);
// Takes back all records with at_frame >= from_frame: they keep their index, and their at_frame is RECORD_DROPPED.
void record_ring_drop(struct record_ring *ring, uint64_t from_frame);
// Forgets those at the end that were taken back, so that they drive nothing out: other records then get their indices.
void record_ring_trim(struct record_ring *ring);
// The record that was pushed as the `index`-th, counted from 0; NULL when it is not there (yet, or any more).
const struct event_record *record_ring_get(const struct record_ring *ring, uint64_t index);
// Index of the oldest record that is still there.
uint64_t record_ring_oldest(const struct record_ring *ring);
// Of the records with at_frame <= frame the one of the latest frame, of several the one pushed last. NULL: none.
const struct event_record *record_ring_at(const struct record_ring *ring, uint64_t frame);
