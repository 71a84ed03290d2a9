// Slow waves by which sounds drift: they follow from a seed and the absolute block alone.
#pragma once
#include "base/frames.h"
#include "synth/dsp/math.h"

// Phase per block of a wave of so many hertz.
#define SLOW_WAVE_HZ(hz) ((uint32_t)((hz) * CONTROL_FRAMES / FRAME_RATE * 0x1p32) | 1)

// A wave of about `turns` phase per block at an absolute block; no two notes share its pace.
INLINE vf slow_wave(vu seed, uint32_t block, uint32_t turns)
{
    vu pace = turns + (seed >> 24) * (turns >> 9);
    return vf_sin_phase(seed * turns + block * pace);
}
