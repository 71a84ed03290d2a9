// The head of a WebSocket frame (RFC 6455, section 5.2).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0, WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8, WEBSOCKET_PING = 9, WEBSOCKET_PONG = 10
};

enum { WEBSOCKET_MAX_HEAD_BYTES = 14 };

// Writes the head of an unmasked, unfragmented frame. Returns its bytes: 2, 4 or 10.
size_t websocket_write_head(uint8_t *out, enum websocket_opcode opcode, uint64_t payload_bytes);

struct websocket_head {
    bool fin, masked;
    uint8_t opcode;
    uint8_t mask[4];
    uint64_t payload_bytes;
};

// Reads a head. Returns its bytes, 0 when more bytes are needed, -1 when it breaks the RFC (reserved bits, long or
// fragmented control frames).
int websocket_read_head(const uint8_t *bytes, size_t len, struct websocket_head *head);
