// TLS over one socket that does not block. What OpenSSL has encrypted and the kernel did not take is held here, so that
// writing never has to be tried again: bytes are accepted or they are not. One thread at a time.
#pragma once
#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { TLS_RECORD_BYTES = 16384 };

struct tls_stream;

// How OpenSSL reaches the socket of a stream; made once, outlives all streams. NULL: no memory.
BIO_METHOD *tls_stream_method_create(void);
// The server's side of a connection that is about to begin. The descriptor stays the caller's. NULL: no memory.
struct tls_stream *tls_stream_create(SSL_CTX *context, const BIO_METHOD *method, int descriptor);
// Says that nothing more comes where that is possible at once. Accepts NULL.
void tls_stream_destroy(struct tls_stream *stream);

enum tls_handshake { TLS_HANDSHAKE_DONE, TLS_HANDSHAKE_READS, TLS_HANDSHAKE_WRITES, TLS_HANDSHAKE_FAILED };
// Goes on with the handshake: done and all of it sent, waits for the peer's bytes, waits for room, or failed.
enum tls_handshake tls_stream_handshake(struct tls_stream *stream);

// As socket_send. Spans are put together to records of at most 16 KiB. Stops as soon as something is held, so at most
// one record is. With nothing to send: only what is held. -1 with EAGAIN: something was held, and still is.
ssize_t tls_stream_send(struct tls_stream *stream, const struct iovec *spans, int count);
// As recv. cap: at least TLS_RECORD_BYTES; then nothing that has come is left in here, and the socket alone tells
// whether there is more.
ssize_t tls_stream_receive(struct tls_stream *stream, void *bytes, size_t cap);
// Bytes that are accepted and not with the kernel yet: to be sent, even with nothing, when there is room.
size_t tls_stream_held(const struct tls_stream *stream);
// Tells the peer that nothing more comes.
void tls_stream_finish(struct tls_stream *stream);
