#include "timeline/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
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
    pool->unused = malloc(count * sizeof(struct chunk *));
    if (!pool->memory || !pool->unused)
        return STATUS_MEMORY;
    memset(pool->memory, 0, count * pool->stride_bytes);
    for (uint32_t i = 0; i < count; i++)
        pool->unused[i] = pool_chunk(pool, count - 1 - i);
    pool->count = pool->unused_count = count;
    return STATUS_OK;
}

void chunk_pool_finish(struct chunk_pool *pool)
{
    check(pool->unused_count == pool->count);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->unused);
    free(pool->memory);
}

struct chunk *chunk_pool_take(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct chunk *chunk = pool->unused_count > 0 ? pool->unused[--pool->unused_count] : NULL;
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
    pool->unused[pool->unused_count++] = chunk;
    pthread_mutex_unlock(&pool->mutex);
}

size_t chunk_pool_bytes(const struct chunk_pool *pool)
{
    return pool->count * (pool->stride_bytes + sizeof(struct chunk *));
}
