// In what form audio travels.
#pragma once
#include <stdbool.h>

enum format {
    FORMAT_OPUS,     // v2: Opus packets in a WebSocket frame
    FORMAT_PCM,      // v2: signed 16-bit little-endian, interleaved, in a WebSocket frame
    FORMAT_LEGACY,   // v0, v1: base64 of signed 16-bit little-endian at 44.1 kHz, bare
    FORMAT_COUNT
};

// "opus", "pcm", "legacy".
const char *format_name(enum format format);
// False when there is no such format.
bool format_from_name(const char *name, enum format *format);
