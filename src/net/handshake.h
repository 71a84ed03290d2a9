// The server's side of the WebSocket handshake (RFC 6455, section 4.2).
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"
#include "net/server.h"

enum { HANDSHAKE_ACCEPT_BYTES = 29, HANDSHAKE_ANSWER_BYTES = 512 };

// The request asks for a WebSocket.
bool handshake_wanted(const struct http_request *request);
// It does so by the rules. False: it has been answered by 400, 405 or 426.
bool handshake_check(const struct http_request *request, bool http_1_1, struct http_response *response);
// Sec-WebSocket-Accept for a key, closed by a zero. False when memory is short.
bool handshake_accept_key(const char *key, char out[HANDSHAKE_ACCEPT_BYTES]);
// The 101 answer. Returns its bytes, 0 when memory is short.
size_t handshake_answer(const struct http_request *request, const struct net_accept *accept, const char *server_name,
                        char out[HANDSHAKE_ANSWER_BYTES]);
