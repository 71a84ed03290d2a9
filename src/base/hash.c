#include "base/hash.h"

#include "base/random.h"

uint64_t hash_bytes(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t hash = random_mix(len + 1);
    for (size_t left = len; left > 0;) {
        size_t take = left < 8 ? left : 8;
        uint64_t word = 0;
        for (size_t i = 0; i < take; i++)
            word |= (uint64_t)at[i] << (8 * i);
        hash = random_mix(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
        at += take;
        left -= take;
    }
    return hash;
}
