#include "station/snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CELL_ALIGNMENT = 64 };

enum status snapshots_init(struct snapshots *snapshots, int cells, size_t cell_bytes)
{
    check(cell_bytes % CELL_ALIGNMENT == 0);
    *snapshots = (struct snapshots){.cap = cells, .cell_bytes = cell_bytes};
    snapshots->memory = aligned_alloc(CELL_ALIGNMENT, (size_t)cells * cell_bytes);
    snapshots->ring = calloc((size_t)cells, sizeof *snapshots->ring);
    if (!snapshots->memory || !snapshots->ring)
        return STATUS_MEMORY;
    memset(snapshots->memory, 0, (size_t)cells * cell_bytes);
    return STATUS_OK;
}

void snapshots_finish(struct snapshots *snapshots)
{
    free(snapshots->memory);
    free(snapshots->ring);
}

static const struct snapshot *snapshots_last(const struct snapshots *snapshots)
{
    check(snapshots->count > 0);
    return &snapshots->ring[(snapshots->first + snapshots->count - 1) % snapshots->cap];
}

static void snapshots_drop_oldest(struct snapshots *snapshots)
{
    int cells = snapshots->ring[snapshots->first].cells;
    snapshots->first = (snapshots->first + 1) % snapshots->cap;
    snapshots->count--;
    snapshots->first_cell = (snapshots->first_cell + cells) % snapshots->cap;
    snapshots->cell_count -= cells;
}

void snapshots_add(struct snapshots *snapshots, uint64_t frame, int cells)
{
    check(cells > 0 && cells <= snapshots->cap);
    check(snapshots->count == 0 || frame >= snapshots_last(snapshots)->frame);
    while (snapshots->cell_count + cells > snapshots->cap)
        snapshots_drop_oldest(snapshots);
    snapshots->ring[(snapshots->first + snapshots->count) % snapshots->cap] = (struct snapshot){frame, cells};
    snapshots->count++;
    snapshots->cell_count += cells;
}

bool snapshots_latest(const struct snapshots *snapshots, uint64_t *frame)
{
    if (snapshots->count > 0)
        *frame = snapshots_last(snapshots)->frame;
    return snapshots->count > 0;
}

bool snapshots_oldest(const struct snapshots *snapshots, uint64_t *frame)
{
    if (snapshots->count > 0)
        *frame = snapshots->ring[snapshots->first].frame;
    return snapshots->count > 0;
}

int snapshots_oldest_cells(const struct snapshots *snapshots)
{
    check(snapshots->count > 0);
    return snapshots->ring[snapshots->first].cells;
}

const void *snapshots_oldest_cell(const struct snapshots *snapshots, int cell)
{
    check(cell >= 0 && cell < snapshots_oldest_cells(snapshots));
    int place = (snapshots->first_cell + cell) % snapshots->cap;
    return snapshots->memory + (size_t)place * snapshots->cell_bytes;
}

void snapshots_forget_after(struct snapshots *snapshots, uint64_t frame)
{
    while (snapshots->count > 0 && snapshots_last(snapshots)->frame > frame)
        snapshots_forget(snapshots);
}

void snapshots_forget_all(struct snapshots *snapshots)
{
    snapshots->count = snapshots->cell_count = 0;
}

int snapshots_cells(const struct snapshots *snapshots)
{
    return snapshots_last(snapshots)->cells;
}

void *snapshots_cell(const struct snapshots *snapshots, int cell)
{
    int cells = snapshots_cells(snapshots);
    check(cell >= 0 && cell < cells);
    int place = (snapshots->first_cell + snapshots->cell_count - cells + cell) % snapshots->cap;
    return snapshots->memory + (size_t)place * snapshots->cell_bytes;
}

void snapshots_forget(struct snapshots *snapshots)
{
    snapshots->cell_count -= snapshots_cells(snapshots);
    snapshots->count--;
}

size_t snapshots_bytes(const struct snapshots *snapshots)
{
    return (size_t)snapshots->cap * (snapshots->cell_bytes + sizeof *snapshots->ring);
}
