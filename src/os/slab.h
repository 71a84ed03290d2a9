// So many items of one size, claimed in one piece: taking one never fails for want of memory, only when all are taken.
// An item's memory is touched when it is taken for the first time, so what is never needed costs nothing. Any thread.
#pragma once
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct slab {
    pthread_mutex_t mutex;      // held for one push or pop
    uint8_t *memory;
    void *unused;               // a list through the items' first bytes
    uint32_t count, used_ever;  // items from used_ever on have never been taken
    size_t stride_bytes;
};

// Items are aligned to 64 bytes.   Errors: STATUS_MEMORY; slab_finish is harmless then too.
MUST_USE enum status slab_init(struct slab *slab, uint32_t count, size_t item_bytes);
void slab_finish(struct slab *slab);
// An item with anything in it. NULL when all are taken. Who takes the last one of two megabytes waits while these are
// folded into a huge page (os/memory.h), and so do others that touch them.
void *slab_take(struct slab *slab);
void slab_give(struct slab *slab, void *item);
