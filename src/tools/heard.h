// A programme as its listeners hear it: through Opus at 128 kb/s as a station encodes it, and in step with the frames.
#pragma once
#include <stdint.h>

#include "client/decoder.h"
#include "station/encoding.h"

struct heard {
    struct encoding encoding;
    struct decoder *decoder;
    uint8_t *bytes;          // of one chunk
    float *sound;            // two chunks as the decoder gave them, late: what is heard next begins within the first
};

// first_frame: multiple of 4,800.   Errors: STATUS_MEMORY, and what the encoder's init returns.
MUST_USE enum status heard_init(struct heard *heard, const struct program *program, const struct backend *backend,
                                uint64_t first_frame);
// out: the next CHUNK_FRAMES frames, interleaved stereo, first_frame first.   Errors: STATUS_IO, the library refuses.
MUST_USE enum status heard_next(struct heard *heard, float *out);
// Harmless on an all-zero one.
void heard_finish(struct heard *heard);
