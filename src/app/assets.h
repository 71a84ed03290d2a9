// Files of the web page, embedded into the binary at build time by scripts/embed.
#pragma once
#include <stddef.h>

struct asset {
    const char *path;          // "/style.css"
    const char *content_type;
    const char *etag;          // quoted
    const unsigned char *bytes;
    size_t len;
};

extern const struct asset assets[];
extern const int asset_count;

// NULL when there is none at that path. "/" is the page itself.
const struct asset *asset_find(const char *path);
