#include "net/peer.h"

#include <arpa/inet.h>
#include <string.h>

enum { PEER_V4_BITS_BEFORE = 96, PEER_BITS = 128 };

static const uint8_t peer_mapped[12] = {[10] = 0xff, [11] = 0xff};

static uint64_t peer_word(const uint8_t bytes[8])
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word = word << 8 | bytes[i];
    return word;
}

struct http_peer peer_at(const uint8_t address[PEER_ADDRESS_BYTES])
{
    static const uint8_t loopback[PEER_ADDRESS_BYTES] = {[15] = 1};
    bool is_v4 = memcmp(address, peer_mapped, sizeof peer_mapped) == 0;
    struct http_peer peer = {.key = peer_word(address + (is_v4 ? 8 : 0))};
    memcpy(peer.address, address, sizeof peer.address);
    peer.loopback = is_v4 ? address[12] == 127 : memcmp(address, loopback, sizeof loopback) == 0;
    return peer;
}

bool peer_read_address(const char *text, size_t len, uint8_t address[PEER_ADDRESS_BYTES])
{
    char closed[INET6_ADDRSTRLEN];
    if (len >= sizeof closed)
        return false;
    memcpy(closed, text, len);
    closed[len] = '\0';
    if (inet_pton(AF_INET6, closed, address) == 1)
        return true;
    memcpy(address, peer_mapped, sizeof peer_mapped);
    return inet_pton(AF_INET, closed, address + sizeof peer_mapped) == 1;
}

static bool peer_read_bits(const char *text, int max, int *bits)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    *bits = 0;
    for (; *text; text++)
        *bits = *bits * 10 + (*text - '0');
    return *bits <= max;
}

bool peer_read_range(const char *text, struct peer_range *range)
{
    size_t len = strcspn(text, "/");
    if (!peer_read_address(text, len, range->address))
        return false;
    int before = memchr(text, ':', len) ? 0 : PEER_V4_BITS_BEFORE, bits = PEER_BITS - before;
    if (text[len] == '/' && !peer_read_bits(text + len + 1, bits, &bits))
        return false;
    range->bits = before + bits;
    return true;
}

bool peer_in_range(const struct peer_range *range, const uint8_t address[PEER_ADDRESS_BYTES])
{
    int whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(range->address, address, (size_t)whole) != 0)
        return false;
    return rest == 0 || (range->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}
