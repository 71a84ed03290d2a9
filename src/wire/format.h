// In what form audio travels.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Opus comes in three bit rates, the rungs of a ladder, from the highest down. Each is a format of its own: encoded,
// published and counted apart. On the wire all are "opus", and `bitrate` tells which.
enum format {
    FORMAT_OPUS,      // v2: Opus packets in a WebSocket frame, 128 kb/s
    FORMAT_OPUS_64,
    FORMAT_OPUS_32,
    FORMAT_PCM,       // v2: signed 16-bit little-endian, interleaved, in a WebSocket frame
    FORMAT_LEGACY,    // v0, v1: base64 of signed 16-bit little-endian at 44.1 kHz, bare
    FORMAT_COUNT
};

enum { FORMAT_OPUS_RUNGS = 3 };   // FORMAT_OPUS and so many formats from it on

// A chunk of old clients: frames a second, frames, bytes as base64 text.
enum { FORMAT_LEGACY_RATE = 44100, FORMAT_LEGACY_FRAMES = 4410, FORMAT_LEGACY_BASE64_BYTES = 23520 };

// "opus", "opus-64", "opus-32", "pcm", "legacy": for metrics and tools.
const char *format_name(enum format format);
// False when there is no such format.
bool format_from_name(const char *name, enum format *format);
// What the protocol calls it: "opus" for every rung.
const char *format_wire_name(enum format format);
// bit/s of a rung; 0 for all others.
uint32_t format_bitrate(enum format format);
bool format_is_opus(enum format format);
// Bytes of sound in a chunk of one that travels in messages of v2, on average.
uint32_t format_chunk_bytes(enum format format);
// The rung of exactly that many bit/s. False when there is none.
bool format_opus_rung(int64_t bitrate, enum format *format);
// The next rung down or up; the format itself where there is none, and for all that are no Opus.
enum format format_lower(enum format format);
enum format format_higher(enum format format);
