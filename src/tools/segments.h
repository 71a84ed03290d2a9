// A stretch of a programme rendered by several threads, delivered in order. Epochs bound history, so a stretch falls
// into segments that know nothing of each other: one for each epoch, cut where the fade between two chains ends.
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "compose/compose.h"
#include "synth/backend.h"

struct segments_job {
    const struct program *program;
    const struct backend *backend;
    uint64_t first_frame, end_frame;   // multiples of 4,800
    int threads;                       // 1 or more; each beyond the first may hold one epoch: 230 MB
    int block_frames;                  // 1 .. 4,800
};

// A chunk: CHUNK_FRAMES frames from first_frame on, interleaved stereo, valid during the call. Anything but STATUS_OK
// ends the rendering.
typedef enum status segments_sink(void *context, uint64_t first_frame, const float *chunk);

// Calls `sink` on the calling thread for each chunk in order.   Errors: STATUS_MEMORY, and what the sink returned.
MUST_USE enum status segments_render(const struct segments_job *job, segments_sink *sink, void *context);
