// A certificate that the server makes for itself, for networks where nobody else vouches for it. It is kept as
// tls-cert.pem and tls-key.pem (mode 0600), so that who has accepted it once is not asked again.
#pragma once
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

enum { SELF_SIGNED_DAYS = 397, SELF_SIGNED_RENEWED_BEFORE_DAYS = 30 };

// What is kept in the directory; made anew when there is nothing, it is damaged, it expires soon, or it lacks a name.
//   names: host names and literal addresses, NULL at the end.   unix_s: now.
//   context: out, as from tls_load.   made: out, it is another one than before.   fault: out, what is wrong.
// Errors: those of file_write, STATUS_INVALID (the directory), STATUS_MEMORY.
MUST_USE enum status self_signed_load(const char *directory, const char *const *names, int64_t unix_s,
                                      SSL_CTX **context, bool *made, struct text *fault);
