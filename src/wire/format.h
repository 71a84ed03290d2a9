// In what form audio travels.
#pragma once
#include <stdbool.h>

enum format {
    FORMAT_OPUS,     // v2: Opus packets in a WebSocket frame
    FORMAT_PCM,      // v2: signed 16-bit little-endian, interleaved, in a WebSocket frame
    FORMAT_LEGACY,   // v0, v1: base64 of signed 16-bit little-endian at 44.1 kHz, bare
    FORMAT_COUNT
};

// A chunk of old clients: frames a second, frames, bytes as base64 text.
enum { FORMAT_LEGACY_RATE = 44100, FORMAT_LEGACY_FRAMES = 4410, FORMAT_LEGACY_BASE64_BYTES = 23520 };

// "opus", "pcm", "legacy".
const char *format_name(enum format format);
// False when there is no such format.
bool format_from_name(const char *name, enum format *format);
