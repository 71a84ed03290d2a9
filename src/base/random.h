// Counter-based random numbers: a pure function of (seed, purpose, index), the same in any order and on any thread.
#pragma once
#include <stdint.h>

// Source: the finaliser of splitmix64 (S. Vigna, public domain), applied after each word is folded in.
static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

// 64 even bits. `purpose` names what the number is for, so that two uses never share a stream.
static inline uint64_t random_u64(uint64_t seed, uint64_t purpose, uint64_t index)
{
    uint64_t x = random_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    x = random_mix(x ^ (purpose + UINT64_C(0x9e3779b97f4a7c15)));
    return random_mix(x ^ (index * UINT64_C(0xd1342543de82ef95) + UINT64_C(0x9e3779b97f4a7c15)));
}

// Uniform in [0, 1), a multiple of 2^-53, so exact on every machine.
static inline double random_unit(uint64_t seed, uint64_t purpose, uint64_t index)
{
    return (double)(random_u64(seed, purpose, index) >> 11) * 0x1p-53;
}

// Uniform in 0 .. n-1, n > 0.
static inline uint32_t random_below(uint64_t seed, uint64_t purpose, uint64_t index, uint32_t n)
{
    return (uint32_t)(((random_u64(seed, purpose, index) >> 32) * n) >> 32);
}
