#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_ALIGNMENT = 64 };

enum status slab_init(struct slab *slab, uint32_t count, size_t item_bytes)
{
    size_t bytes = item_bytes < sizeof(void *) ? sizeof(void *) : item_bytes;
    *slab = (struct slab){.count = count};
    slab->stride_bytes = (bytes + SLAB_ALIGNMENT - 1) / SLAB_ALIGNMENT * SLAB_ALIGNMENT;
    pthread_mutex_init(&slab->mutex, NULL);
    if (count > 0)
        slab->memory = aligned_alloc(SLAB_ALIGNMENT, count * slab->stride_bytes);
    return slab->memory || count == 0 ? STATUS_OK : STATUS_MEMORY;
}

void slab_finish(struct slab *slab)
{
    pthread_mutex_destroy(&slab->mutex);
    free(slab->memory);
}

void *slab_take(struct slab *slab)
{
    pthread_mutex_lock(&slab->mutex);
    void *item = slab->unused;
    if (item)
        memcpy(&slab->unused, item, sizeof slab->unused);
    else if (slab->used_ever < slab->count)
        item = slab->memory + slab->used_ever++ * slab->stride_bytes;
    pthread_mutex_unlock(&slab->mutex);
    return item;
}

void slab_give(struct slab *slab, void *item)
{
    pthread_mutex_lock(&slab->mutex);
    memcpy(item, &slab->unused, sizeof slab->unused);
    slab->unused = item;
    pthread_mutex_unlock(&slab->mutex);
}
