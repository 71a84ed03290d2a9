// Chance as a pure function of a counter: what follows from a note and the absolute block is the same wherever a chain
// began.
#pragma once
#include "base/frames.h"
#include "synth/dsp/math.h"

// 32 even bits of a counter.   Source: C. Wellons, Prospecting for hash functions (2018), lowbias32 with the constants
// found since.
INLINE vu chance_bits(vu x)
{
    x ^= x >> 16;
    x *= 0x21f0aaadu;
    x ^= x >> 15;
    x *= 0x735a2d97u;
    return x ^ (x >> 15);
}

// The same of one number.
INLINE uint32_t chance_of(uint32_t x)
{
    return vu_first(chance_bits(vu_set(x)));
}

// 0..1, below 1.
INLINE vf chance_unit(vu bits)
{
    return vf_from(bits >> 8) * 0x1p-24f;
}

INLINE float chance_unit_of(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

// Knots per block, 2^20 to a knot, of a curve with so many knots a second.
#define CHANCE_PACE(hz) ((uint32_t)((hz) * CONTROL_FRAMES / FRAME_RATE * 0x1p20))

// A smooth curve, -1..1, through a knot at each 2^20 of `time`; it comes again after 2^32.
INLINE vf chance_curve(vu seed, vu time)
{
    vf from = vf_from(chance_bits(seed + (time >> 20) * 0x9e3779b1u)) * 0x1p-31f;
    vf to = vf_from(chance_bits(seed + ((time + 0x100000u) >> 20) * 0x9e3779b1u)) * 0x1p-31f;
    vf share = vf_from(time & 0xfffffu) * 0x1p-20f;
    return from + (to - from) * vf_smooth(share);
}
