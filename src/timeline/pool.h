// A fixed number of chunks of one size, claimed at once; a chunk comes back at its last release, from any thread.
#pragma once
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct chunk;

struct chunk_pool {
    pthread_mutex_t mutex;   // held for one push or pop
    uint8_t *memory;
    uint8_t *taken;          // by chunk
    uint32_t taken_count, count;
    uint32_t kept;           // those from here on give their memory back when none of them is taken
    size_t stride_bytes;
};

// `count` chunks with room for `chunk_bytes` each; 0 of them is fine. The memory is touched, so no later use faults.
// Errors: STATUS_MEMORY; chunk_pool_finish is harmless then too.
MUST_USE enum status chunk_pool_init(struct chunk_pool *pool, uint32_t count, size_t chunk_bytes);
// Every chunk must be back.
void chunk_pool_finish(struct chunk_pool *pool);
// A chunk with one reference, its fields zero. NULL when all are in use.
struct chunk *chunk_pool_take(struct chunk_pool *pool);
// Wants the memory of so many chunks only; more are still there, if they are asked for.
void chunk_pool_keep(struct chunk_pool *pool, uint32_t count);
void chunk_pool_give(struct chunk_pool *pool, struct chunk *chunk);
size_t chunk_pool_bytes(const struct chunk_pool *pool);
