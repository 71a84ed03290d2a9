// Oscillators over integer phases, 2^32 to a turn.
#pragma once
#include "base/frames.h"
#include "synth/dsp/math.h"

// Hertz of a MIDI pitch.
INLINE vf pitch_hz(vf pitch)
{
    return 440.0f * vf_exp2((pitch - 69.0f) * (1.0f / 12.0f));
}

// Phase per frame, hz below half the rate.
INLINE vu phase_increment(vf hz)
{
    return vu_from(vf_min(hz, vf_set(FRAME_RATE * 0.49f)) * (0x1p32f / FRAME_RATE));
}

// Phase after so many blocks. What goes on evenly has its phase from its age, so that it is the same in every chain.
INLINE vu phase_at(vu initial, vu increment, vu blocks)
{
    return initial + increment * (blocks * CONTROL_FRAMES);
}

// Phase by which a tone is ahead whose pitch sways.   waves: the sum of slow waves, each times the semitones by which
// it moves the pitch and over its hertz; such that it is within 128 turns.
INLINE vu phase_swayed(vf hz, vf waves)
{
    return vu_from(hz * waves * (0.0577622650f / 6.28318531f * 0x1p24f)) << 8;
}

// What is added to the phase each frame so that it goes from one to the other within a block.
INLINE vu phase_step(vu from, vu to)
{
    return (vu)((vi)(to - from) / CONTROL_FRAMES);
}

// Phase of an angle from -pi to pi. Half of it is what surely fits an integer: pi itself, as a float, is above pi.
INLINE vu phase_of_radians(vf radians)
{
    return vu_from(radians * (float)(0x1p30 / 3.14159265358979)) << 1;
}

// How hard the tanh of a sine is driven to be a square: pi / 2 times as many partials as torchsynth counts at `hz`.
INLINE vf square_drive(vf hz)
{
    return (1.57079633f * 12000.0f) / (hz * (vf_log2(hz) * 0.30103f));
}

// What a saw needs to know of its pitch; made once a block.
struct saw_shape {
    vf frames_per_unit;  // frames that the phase takes for half a turn
    vf saw, round;       // how much of the saw, how much of the parabola
};

// Above 600 Hz the saw gives way to a parabola of the same fundamental: its corners would fold back audibly.
INLINE struct saw_shape saw_shape(vf hz)
{
    vf share = vf_min(600.0f / hz, vf_set(1.0f));
    return (struct saw_shape){(FRAME_RATE * 0.5f) / hz, share, (1.0f - share) * 2.4674011f};
}

// Rising saw, -1..1, with its step rounded by the integral of the cubic B-spline over two frames either side.
// Source: V. Valimaki, J. Pekonen, J. Nam, Perceptually informed synthesis of bandlimited classical waveforms using
// integrated polynomial interpolation, JASA 131 (2012).
INLINE vf saw_at(vu phase, const struct saw_shape *shape)
{
    vf x = vf_from(phase) * 0x1p-31f;
    vf size = vf_abs(x);
    vf to_corner = 1.0f - size;
    vf distance = to_corner * shape->frames_per_unit;
    vf outer = vf_max(2.0f - distance, (vf){0});
    vf inner = vf_max(1.0f - distance, (vf){0});
    outer = outer * outer;
    inner = inner * inner;
    vf rounding = (outer * outer - inner * inner * 4.0f) * (1.0f / 12.0f);
    vf wave = (size - rounding) * shape->saw + size * to_corner * shape->round;
    return vf_bits(vu_bits(wave) ^ (phase & 0x80000000));
}
