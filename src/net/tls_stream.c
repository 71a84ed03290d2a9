#include "net/tls_stream.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/socket.h"

// A record and what a handshake or an alert may add. A peer that provokes more and reads nothing is lost.
enum { TLS_STREAM_MAX_HELD_BYTES = 2 * TLS_RECORD_BYTES + 1024 };

struct tls_stream {
    SSL *ssl;
    int descriptor;
    int error;            // errno of what the socket refused for good
    bool broken;          // OpenSSL must not be used any more
    bool peer_done;       // the stream of bytes has ended
    uint8_t *held;        // NULL while there is nothing
    size_t held_at, held_len;
};

size_t tls_stream_held(const struct tls_stream *stream)
{
    return stream->held_len - stream->held_at;
}

static bool tls_stream_hold(struct tls_stream *stream, const char *bytes, size_t len)
{
    if (len == 0)
        return true;
    size_t kept = tls_stream_held(stream);
    // What has gone makes room first: a peer that never lets all of it go must not make this grow.
    if (stream->held_at > 0)
        memmove(stream->held, stream->held + stream->held_at, kept);
    stream->held_at = 0;
    stream->held_len = kept;
    uint8_t *grown = kept + len > TLS_STREAM_MAX_HELD_BYTES ? NULL : realloc(stream->held, kept + len);
    if (!grown) {
        stream->error = ENOBUFS;
        return false;
    }
    memcpy(grown + kept, bytes, len);
    stream->held = grown;
    stream->held_len += len;
    return true;
}

static int tls_stream_bio_write(BIO *bio, const char *bytes, int len)
{
    struct tls_stream *stream = BIO_get_data(bio);
    struct iovec span = {(void *)(uintptr_t)bytes, (size_t)len};
    ssize_t sent = stream->held ? 0 : socket_send(stream->descriptor, &span, 1);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        stream->error = errno;
        return -1;
    }
    size_t gone = sent > 0 ? (size_t)sent : 0;
    return tls_stream_hold(stream, bytes + gone, (size_t)len - gone) ? len : -1;
}

static int tls_stream_bio_read(BIO *bio, char *bytes, int cap)
{
    struct tls_stream *stream = BIO_get_data(bio);
    ssize_t got = recv(stream->descriptor, bytes, (size_t)cap, 0);
    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_read(bio);
    else if (got < 0)
        stream->error = errno;
    stream->peer_done = got == 0;
    return (int)got;
}

static long tls_stream_bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_stream *stream = BIO_get_data(bio);
    if (command == BIO_CTRL_EOF)
        return stream->peer_done;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_stream_method_create(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
    if (!method)
        return NULL;
    BIO_meth_set_write(method, tls_stream_bio_write);
    BIO_meth_set_read(method, tls_stream_bio_read);
    BIO_meth_set_ctrl(method, tls_stream_bio_control);
    return method;
}

struct tls_stream *tls_stream_create(SSL_CTX *context, const BIO_METHOD *method, int descriptor)
{
    struct tls_stream *stream = calloc(1, sizeof *stream);
    SSL *ssl = stream ? SSL_new(context) : NULL;
    BIO *bio = ssl ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(ssl);
        free(stream);
        return NULL;
    }
    *stream = (struct tls_stream){.ssl = ssl, .descriptor = descriptor};
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return stream;
}

void tls_stream_finish(struct tls_stream *stream)
{
    bool told = SSL_get_shutdown(stream->ssl) & SSL_SENT_SHUTDOWN;
    if (stream->broken || told || stream->held || !SSL_is_init_finished(stream->ssl))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(stream->ssl);
}

void tls_stream_destroy(struct tls_stream *stream)
{
    if (!stream)
        return;
    tls_stream_finish(stream);
    SSL_free(stream->ssl);
    free(stream->held);
    free(stream);
}

static ssize_t tls_stream_lost(struct tls_stream *stream)
{
    stream->broken = true;
    errno = stream->error ? stream->error : EPROTO;
    return -1;
}

// False, with errno, when not all of what is held has gone.
static bool tls_stream_flush(struct tls_stream *stream)
{
    if (!stream->held)
        return true;
    struct iovec span = {stream->held + stream->held_at, stream->held_len - stream->held_at};
    ssize_t sent = socket_send(stream->descriptor, &span, 1);
    if (sent < 0)
        return false;
    stream->held_at += (size_t)sent;
    if (stream->held_at < stream->held_len) {
        errno = EAGAIN;
        return false;
    }
    free(stream->held);
    stream->held = NULL;
    stream->held_at = stream->held_len = 0;
    return true;
}

enum tls_handshake tls_stream_handshake(struct tls_stream *stream)
{
    if (!SSL_is_init_finished(stream->ssl)) {
        ERR_clear_error();
        int result = SSL_do_handshake(stream->ssl);
        if (result != 1 && SSL_get_error(stream->ssl, result) != SSL_ERROR_WANT_READ) {
            stream->broken = true;
            return TLS_HANDSHAKE_FAILED;
        }
    }
    if (!tls_stream_flush(stream))
        return errno == EAGAIN || errno == EWOULDBLOCK ? TLS_HANDSHAKE_WRITES : TLS_HANDSHAKE_FAILED;
    return SSL_is_init_finished(stream->ssl) ? TLS_HANDSHAKE_DONE : TLS_HANDSHAKE_READS;
}

// What is left to send: the first span, never an empty one, has gone up to `gone`.
struct tls_spans {
    const struct iovec *first;
    int count;
    size_t gone;
};

static void tls_spans_skip_empty(struct tls_spans *spans)
{
    for (; spans->count > 0 && spans->first->iov_len == spans->gone; spans->first++, spans->count--)
        spans->gone = 0;
}

static size_t tls_spans_take(struct tls_spans *spans, size_t max, const uint8_t **bytes)
{
    size_t left = spans->first->iov_len - spans->gone, part = left < max ? left : max;
    *bytes = (const uint8_t *)spans->first->iov_base + spans->gone;
    spans->gone += part;
    tls_spans_skip_empty(spans);
    return part;
}

// The next record, at most TLS_RECORD_BYTES; 0 at the end. A span that fills it or is the last one is taken where it
// stands, others are put together in `scratch`.   bytes: out.
static size_t tls_spans_record(struct tls_spans *spans, uint8_t *scratch, const uint8_t **bytes)
{
    if (spans->count == 0)
        return 0;
    size_t len = tls_spans_take(spans, TLS_RECORD_BYTES, bytes);
    if (len == TLS_RECORD_BYTES || spans->count == 0)
        return len;
    memcpy(scratch, *bytes, len);
    while (len < TLS_RECORD_BYTES && spans->count > 0) {
        const uint8_t *more;
        size_t part = tls_spans_take(spans, TLS_RECORD_BYTES - len, &more);
        memcpy(scratch + len, more, part);
        len += part;
    }
    *bytes = scratch;
    return len;
}

ssize_t tls_stream_send(struct tls_stream *stream, const struct iovec *spans, int count)
{
    struct tls_spans left = {spans, count, 0};
    uint8_t scratch[TLS_RECORD_BYTES];
    const uint8_t *bytes;
    size_t accepted = 0, len;
    if (stream->broken)
        return tls_stream_lost(stream);
    if (!tls_stream_flush(stream))
        return -1;
    tls_spans_skip_empty(&left);
    while (!stream->held && (len = tls_spans_record(&left, scratch, &bytes)) > 0) {
        ERR_clear_error();
        if (SSL_write(stream->ssl, bytes, (int)len) != (int)len)
            return tls_stream_lost(stream);
        accepted += len;
    }
    return (ssize_t)accepted;
}

ssize_t tls_stream_receive(struct tls_stream *stream, void *bytes, size_t cap)
{
    if (stream->broken)
        return tls_stream_lost(stream);
    ERR_clear_error();
    int got = SSL_read(stream->ssl, bytes, (int)cap);
    if (got > 0)
        return got;
    switch (SSL_get_error(stream->ssl, got)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ: errno = EAGAIN; return -1;
    default: return tls_stream_lost(stream);
    }
}
