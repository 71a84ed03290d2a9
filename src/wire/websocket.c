#include "wire/websocket.h"

#include <string.h>

enum { FIN_BIT = 0x80, RESERVED_BITS = 0x70, MASK_BIT = 0x80, CONTROL_BIT = 8, LENGTH_16 = 126, LENGTH_64 = 127 };

static void put_be(uint8_t *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

size_t websocket_write_head(uint8_t *out, enum websocket_opcode opcode, uint64_t payload_bytes)
{
    out[0] = (uint8_t)(FIN_BIT | opcode);
    if (payload_bytes < LENGTH_16) {
        out[1] = (uint8_t)payload_bytes;
        return 2;
    }
    if (payload_bytes <= UINT16_MAX) {
        out[1] = LENGTH_16;
        put_be(out + 2, payload_bytes, 2);
        return 4;
    }
    out[1] = LENGTH_64;
    put_be(out + 2, payload_bytes, 8);
    return 10;
}

static bool opcode_known(uint8_t opcode)
{
    return opcode <= WEBSOCKET_BINARY || (opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG);
}

// What the first two bytes alone can break.
static bool start_valid(const uint8_t *bytes)
{
    uint8_t opcode = bytes[0] & 0x0f;
    if ((bytes[0] & RESERVED_BITS) || !opcode_known(opcode))
        return false;
    return !(opcode & CONTROL_BIT) || ((bytes[0] & FIN_BIT) && (bytes[1] & 0x7f) < LENGTH_16);
}

// The RFC asks for the shortest form, and for a top bit of zero.
static bool length_valid(uint64_t length, int length_bytes)
{
    if (length_bytes == 2)
        return length >= LENGTH_16;
    return length_bytes == 0 || (length > UINT16_MAX && length <= INT64_MAX);
}

int websocket_read_head(const uint8_t *bytes, size_t len, struct websocket_head *head)
{
    if (len < 2)
        return 0;
    if (!start_valid(bytes))
        return -1;
    uint8_t short_length = bytes[1] & 0x7f;
    int length_bytes = short_length == LENGTH_16 ? 2 : short_length == LENGTH_64 ? 8 : 0;
    bool masked = bytes[1] & MASK_BIT;
    int head_bytes = 2 + length_bytes + (masked ? 4 : 0);
    if (len < (size_t)head_bytes)
        return 0;
    uint64_t length = length_bytes ? get_be(bytes + 2, length_bytes) : short_length;
    if (!length_valid(length, length_bytes))
        return -1;
    *head = (struct websocket_head){
        .fin = bytes[0] & FIN_BIT, .masked = masked, .opcode = bytes[0] & 0x0f, .payload_bytes = length};
    if (masked)
        memcpy(head->mask, bytes + 2 + length_bytes, sizeof head->mask);
    return head_bytes;
}
