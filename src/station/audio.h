// The rendered sound of a station, chunk by chunk: a ring that holds the last ones. One thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"

struct audio {
    float *samples;
    uint64_t chunks;        // how many the ring holds
    uint64_t first, end;    // frames [first, end) are there, whole chunks
};

// Claims and touches all memory.   Errors: STATUS_MEMORY.
MUST_USE enum status audio_init(struct audio *audio, uint64_t chunks);
void audio_finish(struct audio *audio);
// Empty, and the next chunk begins at `frame`, a multiple of 4,800.
void audio_start(struct audio *audio, uint64_t frame);
// Where the next chunk is to be written: CHUNK_FRAMES frames, interleaved stereo. The oldest chunk is gone when the
// ring is full.
float *audio_next(struct audio *audio);
// The chunk at audio_next has been written.
void audio_push(struct audio *audio);
// The chunk that begins at `frame`, which must be there.
const float *audio_chunk(const struct audio *audio, uint64_t frame);
size_t audio_bytes(const struct audio *audio);
