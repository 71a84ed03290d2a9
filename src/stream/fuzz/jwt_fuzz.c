// Tokens of old clients. Input: a header and claims with a line break between, which are signed here; any of it also
// as a token as it stands.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "stream/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_PART_BYTES = 3072, FUZZ_PART_CHARS = FUZZ_PART_BYTES / 3 * 4, FUZZ_NOW = 1700000000 };

// A part of a token, filled up with blanks, which JSON does not mind. Returns its characters.
static size_t fuzz_part(const uint8_t *bytes, size_t len, char *out)
{
    uint8_t padded[FUZZ_PART_BYTES];
    memset(padded, ' ', sizeof padded);
    if (len > 0)
        memcpy(padded, bytes, len);
    size_t chars = (len + 2) / 3 * 4;
    base64_encode(padded, (len + 2) / 3 * 3, (uint8_t *)out);
    for (size_t i = 0; i < chars; i++)
        out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
    return chars;
}

static void fuzz_sign(const char *secret, char *token, size_t len)
{
    uint8_t made[EVP_MAX_MD_SIZE + 1] = {0};
    char text[sizeof made / 3 * 4 + 4];
    check(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)token, len, made, NULL));
    (void)fuzz_part(made, 33, text);
    token[len] = '.';
    memcpy(token + len + 1, text, 43);   // of 32 bytes; the last character has two bits of the 33rd, which is 0
    token[len + 44] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char token[2 * FUZZ_PART_CHARS + 64];
    if (size > FUZZ_PART_BYTES)
        return 0;
    memcpy(token, data, size);
    token[size] = '\0';
    check(!jwt_valid(token, "secret", "fuzz", FUZZ_NOW));
    const uint8_t *end = memchr(data, '\n', size);
    size_t head = end ? (size_t)(end - data) : size;
    size_t len = fuzz_part(data, head, token);
    token[len++] = '.';
    if (end)
        len += fuzz_part(end + 1, size - head - 1, token + len);
    fuzz_sign("secret", token, len);
    if (jwt_valid(token, "secret", "fuzz", FUZZ_NOW)) {
        check(!jwt_valid(token, "secret", "another", FUZZ_NOW) && !jwt_valid(token, "another", "fuzz", FUZZ_NOW));
        token[len - 1] ^= 1;
        check(!jwt_valid(token, "secret", "fuzz", FUZZ_NOW));
    }
    return 0;
}
