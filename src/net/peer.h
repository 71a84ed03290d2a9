// Addresses as limits and rules need them: 16 bytes, IPv4 as IPv4-mapped.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"

enum { PEER_ADDRESS_BYTES = 16 };

struct http_peer peer_at(const uint8_t address[PEER_ADDRESS_BYTES]);
// A literal address, IPv4 or IPv6 without its brackets. False when it is none.
bool peer_read_address(const char *text, size_t len, uint8_t address[PEER_ADDRESS_BYTES]);

// The addresses that begin with the first `bits` of this one.
struct peer_range {
    uint8_t address[PEER_ADDRESS_BYTES];
    int bits;
};

// "10.0.0.0/8", "192.0.2.1", "2001:db8::/32". False when it is none of these.
bool peer_read_range(const char *text, struct peer_range *range);
bool peer_in_range(const struct peer_range *range, const uint8_t address[PEER_ADDRESS_BYTES]);
