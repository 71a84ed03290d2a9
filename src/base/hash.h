// 64-bit hash of bytes, for comparing audio that was received with audio that was rendered. Not for hostile input.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Equal on every machine. One flipped bit always changes it: each step is a bijection of the running value.
uint64_t hash_bytes(const void *bytes, size_t len);
