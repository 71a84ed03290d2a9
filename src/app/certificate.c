#include "app/certificate.h"

#include <limits.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/self_signed.h"
#include "net/tls.h"
#include "os/log.h"

enum { CERTIFICATE_MAX_NAMES = ARGUMENT_LIST_MAX + 7, CERTIFICATE_FAULT_BYTES = 1024 };

bool certificate_wanted(const struct options *options)
{
    return options->tls_self_signed || options->tls_cert;
}

static enum status certificate_make(const struct options *options, SSL_CTX **tls, bool *made, struct text *fault)
{
    char machine[256] = "";
    const char *names[CERTIFICATE_MAX_NAMES] = {"localhost", "127.0.0.1", "::1"};
    int count = 3;
    if (gethostname(machine, sizeof machine - 1) == 0 && *machine)
        names[count++] = machine;
    if (strcmp(options->address, "0.0.0.0") != 0 && strcmp(options->address, "::") != 0)
        names[count++] = options->address;
    for (const char *const *host = options->hosts; *host; host++)
        names[count++] = *host;
    return self_signed_load(options->data_dir, names, time(NULL), tls, made, fault);
}

static enum status certificate_read(const struct options *options, SSL_CTX **tls, bool *made, struct text *fault)
{
    if (options->tls_self_signed)
        return certificate_make(options, tls, made, fault);
    *made = false;
    return tls_load(options->tls_cert, options->tls_key, tls, fault);
}

enum status certificate_load(const struct options *options, SSL_CTX **tls)
{
    char bytes[CERTIFICATE_FAULT_BYTES];
    struct text fault = text_on(bytes, sizeof bytes);
    bool made;
    *tls = NULL;
    if (!certificate_wanted(options))
        return STATUS_OK;
    enum status status = certificate_read(options, tls, &made, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "auralis: TLS: %s\n", bytes);
    else if (made)
        log_info("made a certificate and its key in %s", options->data_dir);
    return status;
}

void certificate_reload(const struct app *app)
{
    char bytes[CERTIFICATE_FAULT_BYTES];
    struct text fault = text_on(bytes, sizeof bytes);
    bool made;
    SSL_CTX *tls;
    if (certificate_read(&app->options, &tls, &made, &fault) != STATUS_OK) {
        log_error("the certificate stays as it was: %s", bytes);
        return;
    }
    net_use_tls(app->net, tls);
    log_info("new connections get the certificate that was read just now");
}

void certificate_renew(const struct app *app)
{
    char bytes[CERTIFICATE_FAULT_BYTES];
    struct text fault = text_on(bytes, sizeof bytes);
    bool made;
    SSL_CTX *tls;
    if (!app->options.tls_self_signed)
        return;
    if (certificate_read(&app->options, &tls, &made, &fault) != STATUS_OK) {
        log_error("the certificate cannot be made anew: %s", bytes);
    } else if (made) {
        net_use_tls(app->net, tls);
        log_info("the certificate would have expired soon: new connections get another one");
    } else {
        SSL_CTX_free(tls);
    }
}
