// Base64 (RFC 4648, section 4) of audio. Decoding is public: encode/encode.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

// len: a multiple of 3, so there is no padding. out: len / 3 * 4 bytes.
void base64_encode(const uint8_t *bytes, size_t len, uint8_t *out);
