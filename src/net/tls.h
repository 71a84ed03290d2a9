// A server's certificate and key, as OpenSSL wants them: TLS 1.2 and later, session tickets, no renegotiation.
#pragma once
#include <openssl/types.h>

#include "base/status.h"
#include "base/text.h"

// Reads a certificate chain (the server's own first) and its key, both PEM, the key without a passphrase.
//   context: out, the caller's to SSL_CTX_free.   fault: out, what is wrong, a sentence without a full stop.
// Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_IO (a file cannot be read), STATUS_INVALID (what is in it),
// STATUS_CONFLICT (the key is another certificate's), STATUS_MEMORY.
MUST_USE enum status tls_load(const char *certificate_path, const char *key_path, SSL_CTX **context,
                              struct text *fault);
