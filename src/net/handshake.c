#include "net/handshake.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "net/http_fields.h"

enum { HANDSHAKE_KEY_CHARS = 24 };

bool handshake_wanted(const struct http_request *request)
{
    return http_has_token(request, "upgrade", "websocket");
}

// 16 bytes in base64: 22 characters and two signs that fill up.
static bool handshake_key_good(const char *key)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key && strlen(key) == HANDSHAKE_KEY_CHARS && strspn(key, alphabet) == HANDSHAKE_KEY_CHARS - 2 &&
           strcmp(key + HANDSHAKE_KEY_CHARS - 2, "==") == 0;
}

static bool handshake_version_good(const struct http_request *request)
{
    return http_count_headers(request, "sec-websocket-version") == 1 &&
           strcmp(http_header(request, "sec-websocket-version"), "13") == 0;
}

static bool handshake_refuse(struct http_response *response, int status, const char *message, const char *field,
                             const char *value, const char *constraint)
{
    http_respond_error(response, status, "INVALID_PARAMETERS", message, field, value, constraint);
    return false;
}

bool handshake_check(const struct http_request *request, bool http_1_1, struct http_response *response)
{
    if (strcmp(request->method, "GET") != 0) {
        http_response_header(response, "Allow", "GET");
        return handshake_refuse(response, 405, "A WebSocket begins with GET.", "method", request->method, "GET");
    }
    if (!http_1_1 || !http_has_token(request, "connection", "upgrade") || request->body_len > 0)
        return handshake_refuse(response, 400, "This is no WebSocket handshake.", "connection", NULL,
                                "HTTP/1.1, Connection: Upgrade, no body");
    if (!handshake_version_good(request)) {
        http_response_header(response, "Sec-WebSocket-Version", "13");
        http_response_header(response, "Upgrade", "websocket");
        return handshake_refuse(response, 426, "This version of WebSocket is not spoken here.",
                                "sec-websocket-version", NULL, "13");
    }
    if (http_count_headers(request, "sec-websocket-key") != 1 ||
        !handshake_key_good(http_header(request, "sec-websocket-key")))
        return handshake_refuse(response, 400, "The WebSocket key is malformed.", "sec-websocket-key", NULL,
                                "16 bytes in base64");
    return true;
}

bool handshake_accept_key(const char *key, char out[HANDSHAKE_ACCEPT_BYTES])
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char joined[HANDSHAKE_KEY_CHARS + sizeof suffix];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len;
    struct text text = text_on(joined, sizeof joined);
    text_add(&text, key);
    text_add(&text, suffix);
    check(!text.full);
    if (EVP_Digest(joined, text.len, digest, &digest_len, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_len);
    return true;
}

size_t handshake_answer(const struct http_request *request, const struct net_accept *accept, const char *server_name,
                        char out[HANDSHAKE_ANSWER_BYTES])
{
    char key[HANDSHAKE_ACCEPT_BYTES];
    struct text text = text_on(out, HANDSHAKE_ANSWER_BYTES);
    if (!handshake_accept_key(http_header(request, "sec-websocket-key"), key))
        return 0;
    text_printf(&text, "HTTP/1.1 101 Switching Protocols\r\nServer: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: %s\r\n", server_name, key);
    if (accept->subprotocol)
        text_printf(&text, "Sec-WebSocket-Protocol: %s\r\n", accept->subprotocol);
    text_add(&text, "\r\n");
    check(!text.full);
    return text.len;
}
