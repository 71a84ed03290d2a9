// Stereo float to bytes: one file per format, each ending in one table. Encoders see the programme as a plane of frames
// and are told where they stand, so that what they make depends on a bounded past only.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/status.h"
#include "wire/format.h"
#include "wire/message.h"

// One chunk and what is around it.
struct encode_input {
    uint64_t first_frame;   // multiple of 4,800
    const float *pcm;       // CHUNK_FRAMES frames, interleaved stereo
    const float *before;    // the CHUNK_FRAMES frames before it; silence before frame 0
    const float *after;     // the CHUNK_FRAMES frames after it; NULL when the encoder does not look ahead
};

struct encode_output {
    uint8_t *bytes;                  // room for encoder.max_bytes
    size_t len;                      // 0: the chunk only warmed the encoder up and is not to be published
    uint8_t packet_count;
    uint16_t packet_bytes[CHUNK_PACKETS];
};

struct encoder {
    enum format format;
    uint8_t codec;                   // MESSAGE_CODEC_..., 0 when it does not travel in a v2 message
    bool looks_ahead;                // needs encode_input.after
    size_t state_bytes;              // 0: none needed; aligned to 64 bytes, valid only in the process that made it
    size_t max_bytes;                // of one chunk
    uint32_t decoder_delay_frames;   // how much later than fed a decoder gives a frame
    // Where encoding has to begin so that the chunk at `first_frame` comes out as if it had never been interrupted: a
    // chunk's first frame <= first_frame. What comes out of the chunks before `first_frame` is the same as ever too, or
    // nothing (len 0). Opus: two chunks before the last multiple of 10 s, or frame 0; the others: first_frame itself.
    uint64_t (*begin_frame)(uint64_t first_frame);
    // Before the first chunk and before each new beginning.
    // Errors: STATUS_UNSUPPORTED (the library is not as expected), STATUS_IO.
    enum status (*init)(void *state);
    // Chunks must be fed in order, beginning at a begin_frame.
    // Errors: STATUS_IO when the library refuses.
    enum status (*encode)(void *state, const struct encode_input *input, struct encode_output *output);
    // A copy of the state between two chunks, to go on from there again. NULL: there is no state.
    //   save: false when it can't be saved there; after some chunks more it can.
    size_t (*snapshot_bytes)(void);
    bool (*save)(const void *state, void *snapshot);
    void (*restore)(void *state, const void *snapshot);
};

extern const struct encoder encoder_opus, encoder_opus_64, encoder_opus_32, encoder_pcm, encoder_legacy;

// Indexed by enum format.
extern const struct encoder *const encoders[FORMAT_COUNT];

// Names the library, its version and the settings of a rung: packets are comparable only between equal ids.
//   format: one that format_is_opus.
const char *encode_opus_id(enum format format);
