// Chunks reach a listener in deliveries: all of one go out in one send, at the due time of its first. What a send costs
// hardly depends on what it carries (decision 19), so half a second at a time costs a fifth of a chunk at a time, on
// both sides of the wire. Whose station renders for a short lead, or whose chunks would not fit into its socket, gets
// each by itself.
#pragma once
#include <stdint.h>

#include "base/frames.h"
#include "wire/format.h"

enum {
    DELIVERY_MOST_CHUNKS = 5,
    DELIVERY_MOST_FRAMES = DELIVERY_MOST_CHUNKS * CHUNK_FRAMES,
    DELIVERY_LEAD_FRAMES = 10 * DELIVERY_MOST_FRAMES,   // with less lead a delivery is one chunk
};

// Frames of a delivery, CHUNK_FRAMES or DELIVERY_MOST_FRAMES: of a listener to a format, on a station that renders for
// this lead. One begins at every multiple of them.
static inline uint32_t delivery_frames(enum format format, uint64_t lead_frames)
{
    return format_is_opus(format) && lead_frames >= DELIVERY_LEAD_FRAMES ? DELIVERY_MOST_FRAMES : CHUNK_FRAMES;
}
