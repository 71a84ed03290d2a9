// Tokens of old clients: JWT (RFC 7519) signed by HS256 and nothing else.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// True when the token is signed with the secret, names HS256 as its algorithm, has not expired (`exp` is required) and
// has begun (`nbf`, if there), and its `sub` is `subject`.   unix_s: now.
bool jwt_valid(const char *token, const char *secret, const char *subject, int64_t unix_s);
