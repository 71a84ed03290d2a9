// Sockets: what listening, accepting and sending need of the system.
#pragma once
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/status.h"
#include "net/http.h"

// A listening, non-blocking socket.   descriptor, bound_port: out.
// Errors: STATUS_IN_USE, STATUS_DENIED, STATUS_INVALID (the address), STATUS_IO.
MUST_USE enum status socket_listen(const char *address, uint16_t port, int *descriptor, uint16_t *bound_port);
// One that listens already.   Errors: STATUS_IO (it does not).
MUST_USE enum status socket_take(int descriptor, uint16_t *bound_port);
// The next connection, non-blocking, without Nagle's algorithm; -1 and errno when there is none.
int socket_accept(int listener, struct http_peer *peer);
void socket_peer(const struct sockaddr *address, struct http_peer *peer);
// Linux counts twice as much, and that holds about one and a half times as many bytes. Of a small buffer (up to 32 KiB)
// no more than 16 KiB are unsent: what is decided about them later comes into force sooner.
void socket_set_send_buffer(int descriptor, size_t bytes);
// When it is closed nothing more is sent of what the kernel has taken: the connection is reset.
void socket_forget_on_close(int descriptor);
// Bytes that the kernel has taken and the peer's has not acknowledged.
size_t socket_unacknowledged(int descriptor);
// Of these, those that are not on their way yet. Where the system does not tell: all of them.
size_t socket_unsent(int descriptor);
// The peer has closed it, or it is lost, whatever may still be read from it.
bool socket_has_ended(int descriptor);
// As writev, but never a SIGPIPE, and interruptions are not seen.
ssize_t socket_send(int descriptor, const struct iovec *spans, int count);
