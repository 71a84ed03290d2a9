// A chunk as it travels: what an encoder gave, with the heads before it that the format has on the wire.
#pragma once
#include <stddef.h>

#include "encode/encode.h"
#include "timeline/timeline.h"

// Bytes that the longest chunk of a format takes.
size_t framing_bytes(enum format format);
// Fills a chunk whose frames, generation and flags stand, and which has room for it.
void framing_fill(struct chunk *chunk, const struct encoder *encoder, const struct encode_output *output);
