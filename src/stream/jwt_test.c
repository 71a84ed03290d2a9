#include "stream/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const char SECRET[] = "a-secret-of-this-test";

static void encode(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *at = bytes;
    unsigned bits = 0;
    int have = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | at[i];
        for (have += 8; have >= 6; have -= 6)
            *out++ = digits[bits >> (have - 6) & 63];
    }
    if (have > 0)
        *out++ = digits[bits << (6 - have) & 63];
    *out = '\0';
}

// Signs header and claims, whatever they say.
static const char *token_of(const char *header, const char *claims, const char *secret)
{
    static char token[2048];
    unsigned char signature[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    encode(header, strlen(header), token);
    strcat(token, ".");
    encode(claims, strlen(claims), token + strlen(token));
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)token, strlen(token), signature, &len);
    strcat(token, ".");
    encode(signature, len, token + strlen(token));
    return token;
}

static const char HS256[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

static bool valid(const char *header, const char *claims)
{
    return jwt_valid(token_of(header, claims, SECRET), SECRET, "me", 1000);
}

static void a_good_token_is_taken(void **state)
{
    assert_true(valid(HS256, "{\"sub\":\"me\",\"exp\":1001}"));
    assert_true(valid(HS256, "{\"sub\":\"me\",\"exp\":1001.5,\"nbf\":1000,\"iat\":3,\"more\":[1]}"));
}

// The example of RFC 7515, appendix A.1, made by somebody else: its signature is right, its claims are not ours.
static void a_known_signature_is_found_right(void **state)
{
    const char *token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
                        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
    assert_false(jwt_valid(token, "your-256-bit-secret", "1234567890", 0));
    assert_string_equal(token_of(HS256, "{\"sub\":\"1234567890\",\"name\":\"John Doe\",\"iat\":1516239022}",
                                 "your-256-bit-secret"),
                        token);
}

static void a_bad_signature_is_refused(void **state)
{
    char token[2048];
    assert_false(jwt_valid(token_of(HS256, "{\"sub\":\"me\",\"exp\":2000}", "another"), SECRET, "me", 1000));
    strcpy(token, token_of(HS256, "{\"sub\":\"me\",\"exp\":2000}", SECRET));
    assert_true(jwt_valid(token, SECRET, "me", 1000));
    size_t len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        assert_false(jwt_valid(token, SECRET, "me", 1000));
        token[i] = kept;
    }
    token[len - 1] = '\0';
    assert_false(jwt_valid(token, SECRET, "me", 1000));
}

static void only_hs256_is_an_algorithm(void **state)
{
    static const char claims[] = "{\"sub\":\"me\",\"exp\":2000}";
    assert_false(valid("{\"alg\":\"none\"}", claims));
    assert_false(valid("{\"alg\":\"HS512\"}", claims));
    assert_false(valid("{\"alg\":\"hs256\"}", claims));
    assert_false(valid("{\"alg\":[\"HS256\"]}", claims));
    assert_false(valid("{}", claims));
    assert_false(valid("{\"alg\":\"HS256\",\"alg\":\"none\"}", claims));
    assert_false(valid("{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", claims));
    char unsigned_token[256];
    strcpy(unsigned_token, token_of("{\"alg\":\"none\"}", claims, SECRET));
    *(strrchr(unsigned_token, '.') + 1) = '\0';
    assert_false(jwt_valid(unsigned_token, SECRET, "me", 1000));
}

static void it_expires(void **state)
{
    assert_false(valid(HS256, "{\"sub\":\"me\",\"exp\":1000}"));
    assert_false(valid(HS256, "{\"sub\":\"me\",\"exp\":999}"));
    assert_false(valid(HS256, "{\"sub\":\"me\"}"));
    assert_false(valid(HS256, "{\"sub\":\"me\",\"exp\":\"2000\"}"));
    assert_false(valid(HS256, "{\"sub\":\"me\",\"exp\":2000,\"nbf\":1001}"));
}

static void it_is_for_one_client(void **state)
{
    assert_false(valid(HS256, "{\"sub\":\"you\",\"exp\":2000}"));
    assert_false(valid(HS256, "{\"sub\":\"me\\u0000\",\"exp\":2000}"));
    assert_false(valid(HS256, "{\"exp\":2000}"));
    assert_false(valid(HS256, "[\"me\"]"));
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const texts[] = {"", ".", "..", "...", "a.b", "a.b.c", "e30.e30.", "\xff.\xff.\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(jwt_valid(texts[i], SECRET, "me", 1000));
    char longest[20000];
    memset(longest, 'A', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[9000] = longest[18000] = '.';
    assert_false(jwt_valid(longest, SECRET, "me", 1000));
    assert_false(jwt_valid(token_of(HS256, "{\"sub\":\"me\",\"exp\":2000}", ""), "", "me", 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_is_taken),
        cmocka_unit_test(a_known_signature_is_found_right),
        cmocka_unit_test(a_bad_signature_is_refused),
        cmocka_unit_test(only_hs256_is_an_algorithm),
        cmocka_unit_test(it_expires),
        cmocka_unit_test(it_is_for_one_client),
        cmocka_unit_test(what_is_no_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
