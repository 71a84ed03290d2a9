// Base64 (RFC 4648): audio for old clients, tokens.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Section 4.   len: a multiple of 3, so there is no padding.   out: len / 3 * 4 bytes.
void base64_encode(const uint8_t *bytes, size_t len, uint8_t *out);
// Section 4: padded, nothing else between.   out: room for len / 4 * 3 bytes.
// Returns the bytes written, -1 when it is not base64.
long base64_decode(const char *text, size_t len, uint8_t *out);
// Section 5, the alphabet for URLs, without padding; bits left over must be zero.   out: room for (len * 3 + 3) / 4
// bytes. Returns the bytes written, -1 when it is not that.
long base64url_decode(const char *text, size_t len, uint8_t *out);
