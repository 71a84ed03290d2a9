// What one listener of v2 hears: sound waits here until its moment comes, so that what a change makes another can still
// be replaced. One thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "client/client.h"

struct playout;

// heard: is given what is heard, piece by piece and in order; where sound was missing there is a hole.
// NULL when memory is short.
struct playout *playout_create(void (*heard)(void *context, uint64_t first_frame, const float *sound, size_t frames),
                               void *context);
// Gives out what is heard before the chunk arrived, then takes the chunk, which is decoded. It replaces what waits for
// its frames. Of what comes too late for that only the rest is taken, with a fade of 20 ms; where older sound is behind
// it, it leads over to that within as much, until what follows has come.
// Errors: STATUS_MEMORY; the chunk is then a hole.
MUST_USE enum status playout_add(struct playout *playout, const struct client_chunk *chunk);
// Gives out the rest, and ends. Accepts NULL.
void playout_destroy(struct playout *playout);
