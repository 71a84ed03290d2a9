#include "timeline/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/memory.h"
#include "timeline/timeline.h"

enum { CACHE_LINE_BYTES = 64 };

static struct chunk *pool_chunk(const struct chunk_pool *pool, uint32_t index)
{
    return (struct chunk *)(void *)(pool->memory + index * pool->stride_bytes);
}

enum status chunk_pool_init(struct chunk_pool *pool, uint32_t count, size_t chunk_bytes)
{
    *pool = (struct chunk_pool){0};
    pthread_mutex_init(&pool->mutex, NULL);
    if (count == 0)
        return STATUS_OK;
    size_t whole = sizeof(struct chunk) + chunk_bytes;
    pool->stride_bytes = (whole + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
    pool->memory = aligned_alloc(CACHE_LINE_BYTES, count * pool->stride_bytes);
    pool->taken = calloc(count, 1);
    if (!pool->memory || !pool->taken)
        return STATUS_MEMORY;
    memset(pool->memory, 0, count * pool->stride_bytes);
    pool->count = pool->kept = count;
    return STATUS_OK;
}

void chunk_pool_finish(struct chunk_pool *pool)
{
    check(pool->taken_count == 0);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->taken);
    free(pool->memory);
}

// The first one, so that the last ones are seldom needed.
static struct chunk *pool_take_first(struct chunk_pool *pool)
{
    uint8_t *unused = pool->count > 0 ? memchr(pool->taken, 0, pool->count) : NULL;
    if (!unused)
        return NULL;
    *unused = true;
    pool->taken_count++;
    return pool_chunk(pool, (uint32_t)(unused - pool->taken));
}

// What is beyond those to be kept, once nothing of it is taken.
static void pool_give_back_rest(struct chunk_pool *pool)
{
    uint32_t rest = pool->count - pool->kept;
    if (rest > 0 && !memchr(pool->taken + pool->kept, 1, rest))
        memory_give_back(pool_chunk(pool, pool->kept), rest * pool->stride_bytes);
}

void chunk_pool_keep(struct chunk_pool *pool, uint32_t count)
{
    pthread_mutex_lock(&pool->mutex);
    pool->kept = count < pool->count ? count : pool->count;
    pool_give_back_rest(pool);
    pthread_mutex_unlock(&pool->mutex);
}

struct chunk *chunk_pool_take(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct chunk *chunk = pool_take_first(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (!chunk)
        return NULL;
    memset(chunk, 0, sizeof *chunk);
    chunk->pool = pool;
    atomic_init(&chunk->references, 1);
    return chunk;
}

void chunk_pool_give(struct chunk_pool *pool, struct chunk *chunk)
{
    pthread_mutex_lock(&pool->mutex);
    uint32_t index = (uint32_t)((size_t)((uint8_t *)chunk - pool->memory) / pool->stride_bytes);
    pool->taken[index] = false;
    pool->taken_count--;
    if (index >= pool->kept)
        pool_give_back_rest(pool);
    pthread_mutex_unlock(&pool->mutex);
}

size_t chunk_pool_bytes(const struct chunk_pool *pool)
{
    return pool->count * (pool->stride_bytes + sizeof *pool->taken);
}
