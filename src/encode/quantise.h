// Float samples to signed 16-bit.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Scales by 32,768, rounds to nearest, ties to even, clamps. What is not a number becomes -32,768. Deterministic: no
// rounding mode but the default one is ever set here.
//   out: little-endian, 2 x count bytes.
void quantise_s16(const float *in, size_t count, uint8_t *out);
