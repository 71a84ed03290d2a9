// A connected socket, plain or under TLS: how bytes get out and in. May be copied; one copy is used, and closed.
#pragma once
#include <stdbool.h>
#include <sys/socket.h>

#include "net/socket.h"
#include "net/tls_stream.h"

struct transport {
    int descriptor;           // -1: none
    struct tls_stream *tls;   // NULL: plain
};

// As socket_send. What is accepted goes out before anything sent later, though some of it may still be held.
static inline ssize_t transport_send(const struct transport *transport, const struct iovec *spans, int count)
{
    return transport->tls ? tls_stream_send(transport->tls, spans, count)
                          : socket_send(transport->descriptor, spans, count);
}

// Bytes that are accepted but held: to be sent, even with nothing to send, when the socket is writable.
static inline size_t transport_held(const struct transport *transport)
{
    return transport->tls ? tls_stream_held(transport->tls) : 0;
}

static inline bool transport_holds(const struct transport *transport)
{
    return transport_held(transport) > 0;
}

// As recv. cap: at least TLS_RECORD_BYTES. After it the socket's readiness tells whether there is more.
static inline ssize_t transport_receive(const struct transport *transport, void *bytes, size_t cap)
{
    return transport->tls ? tls_stream_receive(transport->tls, bytes, cap)
                          : recv(transport->descriptor, bytes, cap, 0);
}

// The peer is told that nothing more comes; it may still send.
void transport_finish(const struct transport *transport);
// Closes the socket. Harmless when there is none.
void transport_close(struct transport *transport);
