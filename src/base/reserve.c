#include "base/reserve.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { UNIT_FREE, UNIT_FIRST, UNIT_MORE };

enum status reserve_init(struct reserve *reserve, size_t bytes)
{
    *reserve = (struct reserve){.count = bytes / RESERVE_UNIT_BYTES};
    pthread_mutex_init(&reserve->mutex, NULL);
    reserve->memory = aligned_alloc(RESERVE_UNIT_BYTES, reserve->count * RESERVE_UNIT_BYTES);
    reserve->units = calloc(reserve->count, 1);
    return reserve->memory && reserve->units ? STATUS_OK : STATUS_MEMORY;
}

void reserve_finish(struct reserve *reserve)
{
    pthread_mutex_destroy(&reserve->mutex);
    free(reserve->memory);
    free(reserve->units);
}

// The first place where so many units are free. `count` of the reserve when there is none.
static size_t reserve_find(const struct reserve *reserve, size_t units)
{
    size_t run = 0;
    for (size_t i = 0; i < reserve->count; i++) {
        run = reserve->units[i] == UNIT_FREE ? run + 1 : 0;
        if (run == units)
            return i + 1 - units;
    }
    return reserve->count;
}

void *reserve_take(struct reserve *reserve, size_t bytes)
{
    size_t units = bytes / RESERVE_UNIT_BYTES + 1;
    pthread_mutex_lock(&reserve->mutex);
    size_t at = reserve_find(reserve, units);
    if (at < reserve->count) {
        memset(reserve->units + at, UNIT_MORE, units);
        reserve->units[at] = UNIT_FIRST;
    }
    pthread_mutex_unlock(&reserve->mutex);
    return at < reserve->count ? reserve->memory + at * RESERVE_UNIT_BYTES : NULL;
}

bool reserve_owns(const struct reserve *reserve, const void *piece)
{
    uintptr_t from = (uintptr_t)reserve->memory, at = (uintptr_t)piece;
    return from != 0 && at >= from && at < from + reserve->count * RESERVE_UNIT_BYTES;
}

void reserve_give(struct reserve *reserve, void *piece)
{
    size_t at = (size_t)((uint8_t *)piece - reserve->memory) / RESERVE_UNIT_BYTES;
    pthread_mutex_lock(&reserve->mutex);
    check(reserve->units[at] == UNIT_FIRST);
    reserve->units[at] = UNIT_FREE;
    while (++at < reserve->count && reserve->units[at] == UNIT_MORE)
        reserve->units[at] = UNIT_FREE;
    pthread_mutex_unlock(&reserve->mutex);
}
