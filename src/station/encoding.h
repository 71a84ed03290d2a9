// A programme in one format from any frame on: renders and encodes chunk by chunk as a station would.
#pragma once
#include <stdint.h>

#include "encode/encode.h"
#include "station/renderer.h"

struct encoding {
    struct renderer renderer;
    const struct encoder *encoder;
    void *state;
    uint64_t first_frame;            // the first chunk wanted
    uint64_t next_frame;             // the next chunk to be fed
    int filled;                      // of the three: the last so many are there, or silence before frame 0
    float *sound;                    // three chunks: before, now, after
};

// first_frame: multiple of 4,800.   Errors: STATUS_MEMORY, and what the encoder's init returns.
MUST_USE enum status encoding_init(struct encoding *encoding, const struct program *program,
                                   const struct backend *backend, const struct encoder *encoder, uint64_t first_frame);
// A step towards the next chunk, first_frame at first: renders a chunk at most.
//   output: *made: it is there; its bytes have room for encoder->max_bytes.   Errors: the encoder's.
MUST_USE enum status encoding_step(struct encoding *encoding, struct encode_output *output, bool *made);
// All steps until it is there.
MUST_USE enum status encoding_next(struct encoding *encoding, struct encode_output *output);
// Harmless on an all-zero one.
void encoding_finish(struct encoding *encoding);
