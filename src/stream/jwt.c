#include "stream/jwt.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/base64.h"

enum { JWT_MAX_PART_BYTES = 2048, JWT_HS256_BYTES = 32 };

// Returns the bytes written, -1 when it is no base64url or does not fit.
static long jwt_decode(const char *text, size_t len, uint8_t *out, size_t cap)
{
    return len / 4 * 3 + 3 > cap ? -1 : base64url_decode(text, len, out);
}

// A part of the token as a JSON object; NULL when it is none.
static json_t *jwt_object(const char *text, size_t len)
{
    uint8_t bytes[JWT_MAX_PART_BYTES];
    long n = jwt_decode(text, len, bytes, sizeof bytes);
    json_t *object = n < 0 ? NULL : json_loadb((const char *)bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static bool jwt_header_ok(const char *text, size_t len)
{
    json_t *header = jwt_object(text, len);
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    bool ok = algorithm && strcmp(algorithm, "HS256") == 0 && !json_object_get(header, "crit");
    json_decref(header);
    return ok;
}

static bool jwt_signature_ok(const char *token, size_t signed_len, const char *secret)
{
    uint8_t given[JWT_HS256_BYTES + 3], made[EVP_MAX_MD_SIZE];
    const char *text = token + signed_len + 1;
    unsigned made_len = 0;
    if (jwt_decode(text, strlen(text), given, sizeof given) != JWT_HS256_BYTES)
        return false;
    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)token, signed_len, made, &made_len))
        return false;
    return made_len == JWT_HS256_BYTES && CRYPTO_memcmp(given, made, JWT_HS256_BYTES) == 0;
}

static bool jwt_claims_ok(const char *text, size_t len, const char *subject, int64_t unix_s)
{
    json_t *claims = jwt_object(text, len);
    const char *sub = json_string_value(json_object_get(claims, "sub"));
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    bool ok = sub && strcmp(sub, subject) == 0;
    ok = ok && json_is_number(exp) && json_number_value(exp) > (double)unix_s;
    ok = ok && (!nbf || (json_is_number(nbf) && json_number_value(nbf) <= (double)unix_s));
    json_decref(claims);
    return ok;
}

bool jwt_valid(const char *token, const char *secret, const char *subject, int64_t unix_s)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || secret[0] == '\0')
        return false;
    return jwt_header_ok(token, (size_t)(first - token)) && jwt_signature_ok(token, (size_t)(second - token), secret) &&
           jwt_claims_ok(first + 1, (size_t)(second - first - 1), subject, unix_s);
}
