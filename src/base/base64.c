#include "base/base64.h"

#include <stdbool.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *bytes, size_t len, uint8_t *out)
{
    for (size_t i = 0; i + 3 <= len; i += 3, out += 4) {
        uint32_t word = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        out[0] = (uint8_t)alphabet[word >> 18];
        out[1] = (uint8_t)alphabet[word >> 12 & 63];
        out[2] = (uint8_t)alphabet[word >> 6 & 63];
        out[3] = (uint8_t)alphabet[word & 63];
    }
}

// 0..63, -1 when it is none of the alphabet, whose last two characters differ.
static int digit(char c, char last_but_one, char last)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == last_but_one ? 62 : c == last ? 63 : -1;
}

// One group of four with `padding` equal signs at its end. Returns the bytes written, -1 when it is not base64.
static int decode_group(const char *text, int padding, uint8_t *out)
{
    int32_t word = 0;
    for (int i = 0; i < 4; i++) {
        int value = i < 4 - padding ? digit(text[i], '+', '/') : 0;
        if (value < 0)
            return -1;
        word = word << 6 | value;
    }
    for (int i = 0; i < 3 - padding; i++)
        out[i] = (uint8_t)(word >> (16 - 8 * i));
    return 3 - padding;
}

static int count_padding(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '=')
        return 0;
    return text[len - 2] == '=' ? 2 : 1;
}

long base64_decode(const char *text, size_t len, uint8_t *out)
{
    if (len % 4 != 0)
        return -1;
    int padding = count_padding(text, len);
    long written = 0;
    for (size_t i = 0; i < len; i += 4) {
        int n = decode_group(text + i, i + 4 == len ? padding : 0, out + written);
        if (n < 0)
            return -1;
        written += n;
    }
    return written;
}

long base64url_decode(const char *text, size_t len, uint8_t *out)
{
    uint32_t bits = 0;
    int have = 0;
    long written = 0;
    for (size_t i = 0; i < len; i++) {
        int value = digit(text[i], '-', '_');
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[written++] = (uint8_t)(bits >> have);
        }
    }
    bool whole = len % 4 != 1, nothing_left = (bits & ((1u << have) - 1)) == 0;
    return whole && nothing_left ? written : -1;
}
