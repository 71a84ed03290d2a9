// Copies of something that moves along frames, in order: where it can go back to. A fixed number of cells of one size;
// a snapshot takes one or more of them, and the oldest make room for new ones. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct snapshot {
    uint64_t frame;
    int cells;
};

struct snapshots {
    unsigned char *memory;
    struct snapshot *ring;         // as many places as cells
    size_t cell_bytes;
    int cap;                       // cells
    int first, count;              // snapshots: ring[first] is the oldest
    int first_cell, cell_count;    // cells in use, a ring likewise
};

// All memory is touched.   cell_bytes: multiple of 64; cells are aligned to that.
// Errors: STATUS_MEMORY; snapshots_finish is harmless then too.
MUST_USE enum status snapshots_init(struct snapshots *snapshots, int cells, size_t cell_bytes);
void snapshots_finish(struct snapshots *snapshots);
// Makes room for one, taken at a frame that is not before that of the latest. Its cells are for the caller to fill.
//   cells: 1 .. those of snapshots_init.
void snapshots_add(struct snapshots *snapshots, uint64_t frame, int cells);
// The frame of the latest one. False when there is none.
bool snapshots_latest(const struct snapshots *snapshots, uint64_t *frame);
// The frame of the oldest one, and what it holds. False, or not to be asked for, when there is none.
bool snapshots_oldest(const struct snapshots *snapshots, uint64_t *frame);
int snapshots_oldest_cells(const struct snapshots *snapshots);
const void *snapshots_oldest_cell(const struct snapshots *snapshots, int cell);
// Forgets all that were taken later than at a frame; and all.
void snapshots_forget_after(struct snapshots *snapshots, uint64_t frame);
void snapshots_forget_all(struct snapshots *snapshots);
// Of the latest one, which must be there: how many cells it has, one of them, and away with it.
int snapshots_cells(const struct snapshots *snapshots);
void *snapshots_cell(const struct snapshots *snapshots, int cell);
void snapshots_forget(struct snapshots *snapshots);
size_t snapshots_bytes(const struct snapshots *snapshots);
