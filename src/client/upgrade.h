// The client's side of the WebSocket handshake (RFC 6455, section 4.1).
#pragma once
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "client/url.h"

// "dGhlIHNhbXBsZSBub25jZQ==" and the answer that it asks for.
struct upgrade_key {
    char key[25], accept[29];
};

// A random key.
void upgrade_key_make(struct upgrade_key *key);
// Works out `accept` for a key.
void upgrade_key_accept(struct upgrade_key *key);
// The request.   subprotocol: NULL for none.
void upgrade_write(const struct url *url, const char *target, const char *subprotocol,
                     const struct upgrade_key *key, struct text *out);
// Reads the answer.   head: closed by a zero, its blank line included.   failure: out, what is wrong with it in words.
// Errors: STATUS_INVALID (no proper answer), STATUS_CLOSED (refused by an HTTP status).
MUST_USE enum status upgrade_read(const char *head, const char *subprotocol, const struct upgrade_key *key,
                                    struct text *failure);
// Value of a header line in an HTTP head, without blanks around it. False when it is absent or does not fit.
bool upgrade_header(const char *head, const char *name, char *out, size_t cap);
// The number in "HTTP/1.1 404 Not Found"; 0 when it is no such line.
int upgrade_status(const char *head);
