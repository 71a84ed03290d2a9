// The rendered sound of a station, chunk by chunk: the last ones are kept. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"

struct audio {
    float *samples;
    uint32_t *places;       // where in `samples` each chunk stands, a ring by chunk number
    uint8_t *taken;         // by place
    bool *held;             // by chunk number: it stands in for music that could not be rendered
    uint64_t chunks;        // how many there is room for
    uint64_t kept;          // how many are there at most: as many, or fewer while memory is short
    uint64_t first, end;    // frames [first, end) are there, whole chunks
};

// Claims and touches all memory.   Errors: STATUS_MEMORY.
MUST_USE enum status audio_init(struct audio *audio, uint64_t chunks);
void audio_finish(struct audio *audio);
// Empty, and the next chunk begins at `frame`, a multiple of 4,800.
void audio_start(struct audio *audio, uint64_t frame);
// Where the next chunk is to be written: CHUNK_FRAMES frames, interleaved stereo. The oldest chunks are gone when
// as many are there as are kept.
float *audio_next(struct audio *audio);
// Keeps only so many of the last chunks, from the next one on; memory that is not needed then goes back to the system,
// and comes again when it is.   1 <= chunks <= those of audio_init.
void audio_keep(struct audio *audio, uint64_t chunks);
// The chunk at audio_next has been written. held: it is no function of seed and log.
void audio_push(struct audio *audio, bool held);
// All from `frame` on is gone, and the next chunk begins there: a multiple of 4,800 within [first, end].
void audio_rewind(struct audio *audio, uint64_t frame);
// The chunk that begins at `frame`, which must be there.
const float *audio_chunk(const struct audio *audio, uint64_t frame);
bool audio_held(const struct audio *audio, uint64_t frame);
size_t audio_bytes(const struct audio *audio);
