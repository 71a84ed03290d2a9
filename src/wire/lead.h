// The lead of one listener: how far ahead of the playhead a chunk is due. It moves by half a chunk with each chunk, so
// by half a delivery with each delivery: down at two thirds of real time, up at twice. A function of the chunk's frame,
// the same on both sides (doc/protocol.md, message `lead`).
#pragma once
#include <stdint.h>

struct lead {
    uint64_t frames;        // where it stands, or is going
    int64_t missing;        // what it was before `from_frame`, less `frames`; 0: it stands
    uint64_t from_frame;    // the first chunk for which it moves
};

// For the chunk that begins at `frame`.
uint64_t lead_at(const struct lead *lead, uint64_t frame);
// Lets it go to `frames`, from the chunk that begins at from_frame on.
void lead_move(struct lead *lead, uint64_t frames, uint64_t from_frame);
