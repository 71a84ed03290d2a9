#include "os/slab.h"

#include <stdlib.h>
#include <string.h>

#include "os/memory.h"

enum { SLAB_ALIGNMENT = 64 };

static size_t slab_round_up(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

enum status slab_init(struct slab *slab, uint32_t count, size_t item_bytes)
{
    size_t bytes = item_bytes < sizeof(void *) ? sizeof(void *) : item_bytes;
    *slab = (struct slab){.count = count};
    slab->stride_bytes = slab_round_up(bytes, SLAB_ALIGNMENT);
    pthread_mutex_init(&slab->mutex, NULL);
    size_t alignment = count * slab->stride_bytes < MEMORY_HUGE_BYTES ? SLAB_ALIGNMENT : MEMORY_HUGE_BYTES;
    if (count > 0)
        slab->memory = aligned_alloc(alignment, slab_round_up(count * slab->stride_bytes, alignment));
    return slab->memory || count == 0 ? STATUS_OK : STATUS_MEMORY;
}

void slab_finish(struct slab *slab)
{
    pthread_mutex_destroy(&slab->mutex);
    free(slab->memory);
}

// The first item that was never taken.   full: the stretch of memory of which it is the last, NULL: of none.
static void *slab_next(struct slab *slab, void **full)
{
    size_t at = slab->used_ever++ * slab->stride_bytes, stretches = (at + slab->stride_bytes) / MEMORY_HUGE_BYTES;
    if (stretches > at / MEMORY_HUGE_BYTES)
        *full = slab->memory + (stretches - 1) * MEMORY_HUGE_BYTES;
    return slab->memory + at;
}

void *slab_take(struct slab *slab)
{
    void *full = NULL;
    pthread_mutex_lock(&slab->mutex);
    void *item = slab->unused;
    if (item)
        memcpy(&slab->unused, item, sizeof slab->unused);
    else if (slab->used_ever < slab->count)
        item = slab_next(slab, &full);
    pthread_mutex_unlock(&slab->mutex);
    if (full)
        memory_fold(full, MEMORY_HUGE_BYTES);
    return item;
}

void slab_give(struct slab *slab, void *item)
{
    pthread_mutex_lock(&slab->mutex);
    memcpy(item, &slab->unused, sizeof slab->unused);
    slab->unused = item;
    pthread_mutex_unlock(&slab->mutex);
}
