// A small heap that is claimed at the start, for what must not fail when there is no other memory. Slow, and seldom
// used. Any thread.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { RESERVE_UNIT_BYTES = 64 };

struct reserve {
    pthread_mutex_t mutex;
    uint8_t *memory;         // touched as it is used
    uint8_t *units;          // one byte a unit: free, first of a piece, more of it
    size_t count;
};

// Errors: STATUS_MEMORY; reserve_finish is harmless then too.
MUST_USE enum status reserve_init(struct reserve *reserve, size_t bytes);
void reserve_finish(struct reserve *reserve);
// Aligned to 64 bytes. NULL when there is no room.
void *reserve_take(struct reserve *reserve, size_t bytes);
// The piece is one of this reserve.
bool reserve_owns(const struct reserve *reserve, const void *piece);
void reserve_give(struct reserve *reserve, void *piece);
