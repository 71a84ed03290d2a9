#include "net/test_client.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "wire/websocket.h"

// TLS by descriptor; ssl is NULL where none is spoken.
static struct client_tls {
    SSL *ssl;
    size_t step;
} client_tls[1024];

static void client_forget_tls(int fd)
{
    assert_true(fd < (int)(sizeof client_tls / sizeof *client_tls));
    SSL_free(client_tls[fd].ssl);
    client_tls[fd] = (struct client_tls){0};
}

static void client_send_plain(int fd, const char *bytes, size_t len, size_t step)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len < step ? len : step, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes += sent;
        len -= (size_t)sent;
    }
}

// What OpenSSL wants to be sent.
static void client_flush_tls(int fd)
{
    char *bytes;
    BIO *out = SSL_get_wbio(client_tls[fd].ssl);
    long len = BIO_get_mem_data(out, &bytes);
    client_send_plain(fd, bytes, (size_t)len, client_tls[fd].step);
    assert_int_equal(1, BIO_reset(out));
}

// Gives OpenSSL what comes. As recv.
static ssize_t client_fill_tls(int fd)
{
    char bytes[16384];
    client_flush_tls(fd);
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got > 0)
        assert_int_equal(got, BIO_write(SSL_get_rbio(client_tls[fd].ssl), bytes, (int)got));
    return got;
}

static ssize_t client_receive(int fd, void *out, size_t cap)
{
    SSL *ssl = client_tls[fd].ssl;
    int got;
    if (!ssl)
        return recv(fd, out, cap, 0);
    while ((got = SSL_read(ssl, out, (int)cap)) <= 0) {
        if (SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN)
            return 0;
        assert_int_equal(SSL_ERROR_WANT_READ, SSL_get_error(ssl, got));
        ssize_t more = client_fill_tls(fd);
        if (more <= 0)
            return more;
    }
    return got;
}

void client_secure(int fd, size_t step)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    client_tls[fd] = (struct client_tls){ssl, step ? step : SIZE_MAX};
    int result;
    while ((result = SSL_connect(ssl)) != 1) {
        assert_int_equal(SSL_ERROR_WANT_READ, SSL_get_error(ssl, result));
        assert_true(client_fill_tls(fd) > 0);
    }
    client_flush_tls(fd);
}

uint64_t client_secured_by(int fd)
{
    uint64_t number = 0;
    uint8_t bytes[20];
    X509 *certificate = SSL_get1_peer_certificate(client_tls[fd].ssl);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    assert_in_range(ASN1_STRING_length(serial), sizeof number, sizeof bytes);
    memcpy(&number, ASN1_STRING_get0_data(serial), sizeof number);
    X509_free(certificate);
    return number;
}

int client_connect(uint16_t port, bool v6, int receive_bytes)
{
    struct sockaddr_in v4_address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6_address = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct timeval limit = {.tv_sec = 10};
    int one = 1;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    client_forget_tls(fd);
    v4_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    assert_int_equal(0, v6 ? connect(fd, (struct sockaddr *)&v6_address, sizeof v6_address)
                           : connect(fd, (struct sockaddr *)&v4_address, sizeof v4_address));
    return fd;
}

void client_send(int fd, const void *bytes, size_t len)
{
    if (!client_tls[fd].ssl) {
        client_send_plain(fd, bytes, len, SIZE_MAX);
    } else if (len > 0) {
        assert_int_equal(len, SSL_write(client_tls[fd].ssl, bytes, (int)len));
        client_flush_tls(fd);
    }
}

void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

void client_read(int fd, void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = client_receive(fd, at, len);
        assert_true(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

int client_answer(int fd, char *out, size_t cap, bool no_body)
{
    size_t len = 0;
    *out = '\0';
    while (!strstr(out, "\r\n\r\n")) {
        assert_true(len + 1 < cap);
        ssize_t got = client_receive(fd, out + len, 1);
        assert_true(got >= 0 || len == 0);
        if (got <= 0)
            return 0;
        out[++len] = '\0';
    }
    const char *field = strstr(out, "Content-Length: ");
    size_t body = field && !no_body ? strtoul(field + 16, NULL, 10) : 0;
    assert_true(len + body < cap);
    client_read(fd, out + len, body);
    out[len + body] = '\0';
    assert_memory_equal(out, "HTTP/1.1 ", 9);
    return atoi(out + 9);
}

bool client_at_end(int fd)
{
    char byte;
    ssize_t got = client_receive(fd, &byte, 1);
    assert_true(got >= 0 || errno == ECONNRESET);  // and not that nothing has happened for ten seconds
    return got <= 0;
}

void client_upgrade(int fd, const char *target)
{
    char text[1024];
    snprintf(text, sizeof text,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", target);
    client_say(fd, text);
    assert_int_equal(101, client_answer(fd, text, sizeof text, true));
    assert_non_null(strstr(text, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

int client_websocket(uint16_t port, const char *target)
{
    int fd = client_connect(port, false, 0);
    client_upgrade(fd, target);
    return fd;
}

int client_secure_websocket(uint16_t port, const char *target, int receive_bytes)
{
    int fd = client_connect(port, false, receive_bytes);
    client_secure(fd, 0);
    client_upgrade(fd, target);
    return fd;
}

void client_frame(int fd, bool fin, int opcode, const void *payload, size_t len)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    uint8_t *bytes = malloc(len + 18);
    size_t head = websocket_write_head(bytes, (enum websocket_opcode)opcode, len);
    bytes[0] = (uint8_t)((fin ? 0x80 : 0) | opcode);
    bytes[1] |= 0x80;
    memcpy(bytes + head, mask, 4);
    for (size_t i = 0; i < len; i++)
        bytes[head + 4 + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    client_send(fd, bytes, head + 4 + len);
    free(bytes);
}

void client_text(int fd, const char *text)
{
    client_frame(fd, true, WEBSOCKET_TEXT, text, strlen(text));
}

struct test_frame client_read_frame(int fd)
{
    uint8_t head[2], more[8];
    client_read(fd, head, 2);
    assert_int_equal(0, head[0] & 0x70);
    assert_int_equal(0, head[1] & 0x80);
    size_t len = head[1], more_len = len == 126 ? 2 : len == 127 ? 8 : 0;
    client_read(fd, more, more_len);
    if (more_len > 0)
        len = 0;
    for (size_t i = 0; i < more_len; i++)
        len = len << 8 | more[i];
    struct test_frame frame = {.fin = head[0] >> 7, .opcode = head[0] & 15, .len = len, .bytes = malloc(len + 1)};
    client_read(fd, frame.bytes, len);
    frame.bytes[len] = '\0';
    return frame;
}

void client_expect(int fd, int opcode, const char *payload)
{
    struct test_frame frame = client_read_frame(fd);
    assert_true(frame.fin);
    assert_int_equal(opcode, frame.opcode);
    assert_string_equal(payload, (char *)frame.bytes);
    free(frame.bytes);
}

void client_expect_close(int fd, int code)
{
    struct test_frame frame = client_read_frame(fd);
    assert_int_equal(WEBSOCKET_CLOSE, frame.opcode);
    if (code == 1005)
        assert_int_equal(0, frame.len);
    else
        assert_int_equal(code, frame.bytes[0] << 8 | frame.bytes[1]);
    free(frame.bytes);
}

void client_bye(int fd)
{
    client_frame(fd, true, WEBSOCKET_CLOSE, "\x03\xe8", 2);
    client_expect_close(fd, 1000);
    assert_true(client_at_end(fd));
    close(fd);
}

int client_ask(int fd, const char *path, char *out, size_t cap)
{
    char text[256] = "GET ";
    client_say(fd, strcat(strcat(text, path), " HTTP/1.1\r\nHost: h\r\n\r\n"));
    return client_answer(fd, out, cap, false);
}
