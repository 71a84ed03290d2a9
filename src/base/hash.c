#include "base/hash.h"

#include "base/random.h"

// Up to eight bytes, the first one lowest.
static inline uint64_t hash_word(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static inline uint64_t hash_step(uint64_t hash, uint64_t word)
{
    return random_mix(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;
    uint64_t hash = random_mix(len + 1);
    for (; end - at >= 8; at += 8)
        hash = hash_step(hash, hash_word(at, 8));
    return at < end ? hash_step(hash, hash_word(at, (size_t)(end - at))) : hash;
}
