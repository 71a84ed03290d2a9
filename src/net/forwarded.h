// Who asks behind proxies: Forwarded (RFC 7239), X-Forwarded-For, X-Forwarded-Proto. Believed from trusted peers only.
#pragma once
#include "net/http.h"
#include "net/peer.h"

enum { FORWARDED_MAX_PROXIES = 32 };

struct forwarded_proxies {
    struct peer_range ranges[FORWARDED_MAX_PROXIES];
    int count;
};

bool forwarded_trusts(const struct forwarded_proxies *proxies, const uint8_t address[PEER_ADDRESS_BYTES]);
// Replaces peer and secure of a request, which are those of its connection, by what trusted proxies say of them. The
// peer becomes the last address named that is no trusted proxy, the first one when all are. What is malformed, or told
// in two ways that differ, is not believed. Who comes through a proxy is never on loopback, whatever it is called.
void forwarded_apply(const struct forwarded_proxies *proxies, struct http_request *request);
