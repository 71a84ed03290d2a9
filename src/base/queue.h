// Bounded queue, many producers, one consumer, fixed-size elements, no locks.
// Source: the bounded queue of D. Vyukov (1024cores.net): each cell carries the ticket that it waits for.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// The fields of each side are kept a cache line apart; the struct itself may lie anywhere, in plain malloc as well.
struct queue {
    unsigned char *cells;
    size_t cell_bytes, element_bytes, mask;
    unsigned char apart_from_shared[64];
    atomic_size_t tail;  // next ticket to write
    unsigned char apart_from_producers[64];
    size_t head;         // next ticket to read, the consumer's own
};

// capacity: a power of two, >= 2. Errors: STATUS_MEMORY.
MUST_USE enum status queue_init(struct queue *queue, size_t element_bytes, size_t capacity);
void queue_finish(struct queue *queue);
// Any thread. False when full: nothing was taken.
bool queue_push(struct queue *queue, const void *element);
// The consumer's thread. False when empty.
bool queue_pop(struct queue *queue, void *element);
