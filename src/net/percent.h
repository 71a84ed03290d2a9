// Percent-encoding of URLs (RFC 3986, section 2.1).
#pragma once
#include <stdbool.h>
#include <stddef.h>

// Decodes len bytes and closes them with a zero. plus_is_space: as in queries.   out: may be `in`.
// False: a bad escape, a zero byte, or it does not fit into cap.
bool percent_decode(const char *in, size_t len, bool plus_is_space, char *out, size_t cap);
// Whether percent_decode would take it.
bool percent_valid(const char *in, size_t len);
