// Where a server is: the parts of "http://host:port/path?query".
#pragma once
#include <stdbool.h>

struct url {
    char host[256];    // name or literal address, IPv6 without its brackets
    bool secure;       // https:// or wss://
    char port[6];      // "80", or "443", when none is given
    char target[512];  // path and query as they stand; "" or "/" when there is none
};

// Takes http://, ws://, https:// and wss://. False when it is none of these or a part is too long.
bool url_read(const char *text, struct url *url);
// The Host header's value for it; out holds URL_HOST_BYTES.
enum { URL_HOST_BYTES = 272 };
void url_host(const struct url *url, char *out);
