#include "client/channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

SSL_CTX *channel_context(const struct client_trust *trust, struct text *fault)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        text_add(fault, status_text(STATUS_MEMORY));
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);  // an end is told by HTTP and WebSocket themselves
    SSL_CTX_set_verify(context, trust->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    int good = trust->ca_file ? SSL_CTX_load_verify_file(context, trust->ca_file)
                              : SSL_CTX_set_default_verify_paths(context);
    ERR_clear_error();
    if (good == 1)
        return context;
    text_printf(fault, "%s holds no certificates that can be read", trust->ca_file ? trust->ca_file : "the system");
    SSL_CTX_free(context);
    return NULL;
}

static bool channel_expect(SSL *tls, const char *host)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;
    return SSL_set_tlsext_host_name(tls, host) == 1 && SSL_set1_host(tls, host) == 1;
}

bool channel_begin_tls(struct channel *channel, SSL_CTX *context, const struct url *url)
{
    channel->tls = SSL_new(context);
    if (!channel->tls || SSL_set_fd(channel->tls, channel->fd) != 1 || !channel_expect(channel->tls, url->host))
        return false;
    SSL_set_connect_state(channel->tls);
    return true;
}

static void channel_explain(const struct channel *channel, int error, struct text *failure)
{
    long verified = SSL_get_verify_result(channel->tls);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (verified != X509_V_OK && SSL_get_verify_mode(channel->tls) != SSL_VERIFY_NONE)
        text_printf(failure, "the server's certificate: %s", X509_verify_cert_error_string(verified));
    else
        text_printf(failure, "TLS: %s", reason ? reason : error ? strerror(error) : "closed without a word");
}

enum channel_handshake channel_handshake(struct channel *channel, struct text *failure)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(channel->tls), error = errno;
    if (result == 1)
        return CHANNEL_READY;
    switch (SSL_get_error(channel->tls, result)) {
    case SSL_ERROR_WANT_READ: return CHANNEL_READS;
    case SSL_ERROR_WANT_WRITE: return CHANNEL_WRITES;
    default: break;
    }
    channel_explain(channel, error, failure);
    return CHANNEL_FAILED;
}

// What SSL_read or SSL_write did, as recv and send tell it.
static ssize_t channel_result(const struct channel *channel, int result)
{
    int error = errno;
    if (result > 0)
        return result;
    switch (SSL_get_error(channel->tls, result)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    default: errno = error ? error : EPROTO; return -1;
    }
}

ssize_t channel_send(const struct channel *channel, const void *bytes, size_t len)
{
    if (!channel->tls)
        return send(channel->fd, bytes, len, MSG_NOSIGNAL);
    ERR_clear_error();
    errno = 0;
    return channel_result(channel, SSL_write(channel->tls, bytes, (int)len));
}

ssize_t channel_receive(const struct channel *channel, void *bytes, size_t cap)
{
    if (!channel->tls)
        return recv(channel->fd, bytes, cap, 0);
    ERR_clear_error();
    errno = 0;
    return channel_result(channel, SSL_read(channel->tls, bytes, (int)cap));
}

void channel_close(struct channel *channel)
{
    SSL_free(channel->tls);
    if (channel->fd >= 0)
        close(channel->fd);
    *channel = (struct channel){.fd = -1};
}
