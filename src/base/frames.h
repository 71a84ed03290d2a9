// The one unit of time: frames at 48 kHz since the station began, and what is counted in them.
#pragma once
#include <stdint.h>

enum {
    FRAME_RATE = 48000,
    CHANNELS = 2,
    CONTROL_FRAMES = 64,   // control-rate grid: envelopes, coefficients, note events
    PACKET_FRAMES = 960,   // one Opus packet, 20 ms; control changes fall on this grid
    CHUNK_FRAMES = 4800,   // what one message carries, 100 ms
    CHUNK_PACKETS = CHUNK_FRAMES / PACKET_FRAMES,
};

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

// Nanoseconds that `frames` last, rounded down. Exact for every multiple of 3 frames.
static inline uint64_t frames_to_ns(uint64_t frames)
{
    return frames / FRAME_RATE * NS_PER_SECOND + frames % FRAME_RATE * 62500 / 3;
}

// Whole frames that fit into `ns`.
static inline uint64_t frames_from_ns(uint64_t ns)
{
    return ns / NS_PER_SECOND * FRAME_RATE + ns % NS_PER_SECOND * 3 / 62500;
}

static inline uint64_t frames_round_up(uint64_t frame, uint64_t grid)
{
    return (frame + grid - 1) / grid * grid;
}

static inline uint64_t frames_round_down(uint64_t frame, uint64_t grid)
{
    return frame / grid * grid;
}
