// What a listener hears: Opus packets or 16-bit PCM to float.
#pragma once
#include <stdint.h>

#include "client/client.h"

struct decoder;

enum { DECODER_MAX_FRAMES = 16 * 960 };

// NULL when memory is short.
struct decoder *decoder_create(void);
// Accepts NULL.
void decoder_destroy(struct decoder *decoder);
// From here on it is as fresh as a new one: before a preroll, and where another bit rate begins.
void decoder_renew(struct decoder *decoder);
// Decodes a message into its own buffer, valid until the next call: *sound, interleaved stereo. Where it does not stand
// at the message's first frame, as when a chunk comes again, it is renewed and fed what came before that frame. A
// packet that is refused becomes silence of its length and is counted in *errors.   Returns the frames.
int decoder_feed(struct decoder *decoder, const struct client_chunk *chunk, const float **sound, uint64_t *errors);
