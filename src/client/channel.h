// A connected socket, plain or under TLS. With TLS the caller's process ignores SIGPIPE.
#pragma once
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/text.h"
#include "client/client.h"
#include "client/url.h"

struct channel {
    int fd;      // -1: none
    SSL *tls;    // NULL: plain
};

// What connections under TLS share; the caller's to SSL_CTX_free. NULL: `fault` says why.
SSL_CTX *channel_context(const struct client_trust *trust, struct text *fault);

enum channel_handshake { CHANNEL_READY, CHANNEL_READS, CHANNEL_WRITES, CHANNEL_FAILED };
// Begins TLS on a connected socket, with the server that the URL names. False: no memory.
bool channel_begin_tls(struct channel *channel, SSL_CTX *context, const struct url *url);
// Goes on with the handshake; reads and writes as far as the socket lets it.   failure: out, when it has failed.
enum channel_handshake channel_handshake(struct channel *channel, struct text *failure);
// As send, never a SIGPIPE; under TLS all of it or nothing.
ssize_t channel_send(const struct channel *channel, const void *bytes, size_t len);
// As recv.
ssize_t channel_receive(const struct channel *channel, void *bytes, size_t cap);
// Closes the socket. Harmless when there is none.
void channel_close(struct channel *channel);
