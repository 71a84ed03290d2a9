#include "encode/quantise.h"

#include <string.h>

// Adding 1.5 x 2^23 leaves no bits for a fraction, so that the addition itself rounds; the integer then stands in the
// low bits of the sum.
#define ROUNDER 12582912.0f
#define ROUNDER_BITS 0x4b400000

static int16_t quantise(float sample)
{
    float scaled = sample * 32768.0f;
    scaled = scaled > -32768.0f ? scaled : -32768.0f;
    scaled = scaled < 32767.0f ? scaled : 32767.0f;
    float sum = scaled + ROUNDER;
    int32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return (int16_t)(bits - ROUNDER_BITS);
}

void quantise_s16(const float *in, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t value = (uint16_t)quantise(in[i]);
        out[2 * i] = (uint8_t)value;
        out[2 * i + 1] = (uint8_t)(value >> 8);
    }
}
