#include "wire/format.h"

#include <string.h>

#include "base/frames.h"

static const struct {
    const char *name, *wire_name;
    uint32_t bitrate;
} formats[FORMAT_COUNT] = {
    [FORMAT_OPUS] = {"opus", "opus", 128000},
    [FORMAT_OPUS_64] = {"opus-64", "opus", 64000},
    [FORMAT_OPUS_32] = {"opus-32", "opus", 32000},
    [FORMAT_PCM] = {"pcm", "pcm", 0},
    [FORMAT_LEGACY] = {"legacy", "legacy", 0},
};

const char *format_name(enum format format)
{
    return formats[format].name;
}

bool format_from_name(const char *name, enum format *format)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *format = (enum format)i;
            return true;
        }
    }
    return false;
}

const char *format_wire_name(enum format format)
{
    return formats[format].wire_name;
}

uint32_t format_bitrate(enum format format)
{
    return formats[format].bitrate;
}

bool format_is_opus(enum format format)
{
    return format < FORMAT_OPUS + FORMAT_OPUS_RUNGS;
}

uint32_t format_chunk_bytes(enum format format)
{
    return format_is_opus(format) ? format_bitrate(format) / 8 * CHUNK_FRAMES / FRAME_RATE : CHUNK_FRAMES * 4;
}

bool format_opus_rung(int64_t bitrate, enum format *format)
{
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++) {
        if (formats[i].bitrate == bitrate) {
            *format = (enum format)i;
            return true;
        }
    }
    return false;
}

enum format format_lower(enum format format)
{
    return format < FORMAT_OPUS + FORMAT_OPUS_RUNGS - 1 ? (enum format)(format + 1) : format;
}

enum format format_higher(enum format format)
{
    return format > FORMAT_OPUS && format_is_opus(format) ? (enum format)(format - 1) : format;
}
