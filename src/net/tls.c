#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

// A key with a passphrase is refused; a server must not stop to ask for it.
static int tls_no_passphrase(char *out, int cap, int writing, void *context)
{
    return -1;
}

static SSL_CTX *tls_context_create(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // After each record that is no data OpenSSL comes back, so that a flood of them cannot keep a loop.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_default_passwd_cb(context, tls_no_passphrase);
    return context;
}

static enum status tls_check_readable(const char *path, const char *what, struct text *fault)
{
    FILE *file = fopen(path, "re");
    enum status status = file ? STATUS_OK : errno == ENOENT ? STATUS_NOT_FOUND : errno == EACCES ? STATUS_DENIED
                                                                                                 : STATUS_IO;
    if (file)
        fclose(file);
    else
        text_printf(fault, "the %s in %s cannot be read: %s", what, path, status_text(status));
    return status;
}

static enum status tls_fill(SSL_CTX *context, const char *certificate_path, const char *key_path, struct text *fault)
{
    // The key first: one that does not fit the certificate is then dropped, which the check tells from other faults.
    if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1) {
        text_printf(fault, "%s holds no key in PEM that can be used without a passphrase", key_path);
        return STATUS_INVALID;
    }
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1) {
        text_printf(fault, "%s holds no certificate in PEM that can be used", certificate_path);
        return STATUS_INVALID;
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        text_printf(fault, "the key in %s does not belong to the certificate in %s", key_path, certificate_path);
        return STATUS_CONFLICT;
    }
    return STATUS_OK;
}

enum status tls_load(const char *certificate_path, const char *key_path, SSL_CTX **context, struct text *fault)
{
    *context = NULL;
    enum status status = tls_check_readable(certificate_path, "certificate", fault);
    if (status == STATUS_OK)
        status = tls_check_readable(key_path, "key", fault);
    if (status != STATUS_OK)
        return status;
    SSL_CTX *made = tls_context_create();
    if (!made) {
        text_add(fault, status_text(STATUS_MEMORY));
        return STATUS_MEMORY;
    }
    status = tls_fill(made, certificate_path, key_path, fault);
    ERR_clear_error();
    if (status == STATUS_OK)
        *context = made;
    else
        SSL_CTX_free(made);
    return status;
}
