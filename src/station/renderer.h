// A programme's sound from any frame on, chunk by chunk, whatever has to be rendered before it. Where the station woke
// another sound begins, without a fade: nobody has heard what comes before.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "station/programme.h"

struct renderer {
    struct programme *programme;
    const struct program *program;
    const struct backend *backend;
    uint64_t next_frame;     // of the next chunk
    uint64_t woken;          // where its programme began from silence last
    int block_frames;        // how much one render call makes
    float *scratch;          // a chunk, for what is dropped
};

// first_frame: multiple of 4,800. block_frames: 1 .. 4,800; makes no difference to the sound. `program` and `backend`
// outlive the renderer.   Errors: STATUS_MEMORY.
MUST_USE enum status renderer_init(struct renderer *renderer, const struct program *program,
                                   const struct backend *backend, uint64_t first_frame, int block_frames);
// Renders up to a chunk of what lies before the next one and is dropped. False: nothing does.
bool renderer_approach(struct renderer *renderer);
// The next chunk, whatever lies before it.   out: CHUNK_FRAMES frames, interleaved stereo.
void renderer_chunk(struct renderer *renderer, float *out);
// Harmless on an all-zero renderer.
void renderer_finish(struct renderer *renderer);
