#include "wire/format.h"

#include <string.h>

static const char *const format_names[FORMAT_COUNT] = {
    [FORMAT_OPUS] = "opus",
    [FORMAT_PCM] = "pcm",
    [FORMAT_LEGACY] = "legacy",
};

const char *format_name(enum format format)
{
    return format_names[format];
}

bool format_from_name(const char *name, enum format *format)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(name, format_names[i]) == 0) {
            *format = (enum format)i;
            return true;
        }
    }
    return false;
}
