// The audio: two oscillators and noise, VOICE_STEP samples at a time.
#pragma once
#include "synth/dsp/math.h"
#include "synth/voice/noise.h"
#include "synth/voice/work.h"

enum { VOICE_STEP_VECTORS = VOICE_STEP / SYNTH_WIDTH };

struct voice_sound {
    float drive, shape; // of the square and saw
    vu noise[VOICE_STEP_VECTORS], noise_step;
    vf peak;
};

// How far a phase is from 0, in half turns, 0 .. 1.
INLINE vf voice_size(vu phase)
{
    return vf_abs(vf_from(phase)) * 0x1p-31f;
}

// Cosine of a phase of that size. Absolute error below 7e-7.
INLINE vf voice_cos(vf size)
{
    vf s = 0.5f - size, q = s * s;
    vf p = q * -5.546334621e-1f + 2.541897832f;
    p = p * q - 5.167142647f;
    p = p * q + 3.141582017f;
    return p * s;
}

// The sine's. Relative error below 3.1e-5 and none where it is 0: a square's edges are thousands of times as steep.
INLINE vf voice_sin(vf size)
{
    vf u = size * (1.0f - size);
    vf p = u * 1.193367599f + 3.134440081f;
    return (p * u + 3.141686433f) * u;
}

// tanh(x), x >= 0: a rational function fitted for the least greatest error, 2e-6; from 7 on it stays where it is.
INLINE vf voice_tanh(vf x)
{
    x = vf_min(x, vf_set(7.0f));
    vf q = x * x;
    vf above = q * 0.02760798637f + 15.99558728f;
    above = (above * q + 864.2126603f) * q + 7024.83824f;
    vf below = ((q + 148.0294868f) * q + 3205.73121f) * q + 7024.868528f;
    return x * above / below;
}

static void voice_sound_init(struct voice_sound *sound, float drive, float shape, uint32_t noise)
{
    sound->drive = drive;
    sound->shape = shape;
    for (int v = 0; v < VOICE_STEP_VECTORS; v++)
        sound->noise[v] = voice_noise_from(noise, v * SYNTH_WIDTH);
    sound->noise_step = vu_set(voice_noise_power(VOICE_STEP));
    sound->peak = (vf){0};
}

// Three passes over a block: the chain of what waits for each other is then short enough to be overlapped.
// The first: sine and noise. Their sum takes the place of the sine's amplitude.
static void voice_sound_sines(struct voice_sound *sound, struct voice_block *block, int frames)
{
    struct voice_sound now = *sound;
    for (int n = 0; n < frames; n += VOICE_STEP)
        for (int v = 0, at = n; v < VOICE_STEP_VECTORS; v++, at += SYNTH_WIDTH) {
            vf sine = voice_cos(voice_size(vu_load(block->phase[0] + at))) * vf_load(block->amp[0] + at);
            vf_store(block->amp[0] + at, sine + vf_from(now.noise[v]) * vf_load(block->amp[2] + at));
            now.noise[v] *= now.noise_step;
        }
    *sound = now;
}

// Between square and saw: tanh(drive sin) (1 + shape cos). The second pass: drive |sin|, and all by which its tanh is
// to be multiplied, in the place of the amplitude. Source: V. Lazzarini, J. Timoney, New perspectives on distortion
// synthesis for virtual analog oscillators, Computer Music Journal 34 (2010).
static void voice_sound_drive(const struct voice_sound *sound, struct voice_block *block, int frames)
{
    float drive = sound->drive, shape = sound->shape;
    for (int n = 0; n < frames; n += SYNTH_WIDTH) {
        vu phase = vu_load(block->phase[1] + n);
        vf size = voice_size(phase);
        vf level = (voice_cos(size) * shape + 1.0f) * vf_load(block->amp[1] + n);
        vf_store(block->driven + n, voice_sin(size) * drive);
        vf_store(block->amp[1] + n, vf_bits(vu_bits(level) ^ (phase & 0x80000000)));
    }
}

// The third: all together.
static void voice_sound_mix(struct voice_sound *sound, const struct voice_block *block, int frames, float *out)
{
    vf peak = sound->peak;
    for (int n = 0; n < frames; n += SYNTH_WIDTH) {
        vf sum = voice_tanh(vf_load(block->driven + n)) * vf_load(block->amp[1] + n) + vf_load(block->amp[0] + n);
        peak = vf_max(peak, vf_abs(sum));
        vf_store(out + n, sum);
    }
    sound->peak = peak;
}

// frames: a multiple of VOICE_STEP.   out: aligned to the vector. What it needs of the block is used up.
static void voice_sound_run(struct voice_sound *sound, struct voice_block *block, int frames, float *out)
{
    voice_sound_sines(sound, block, frames);
    voice_sound_drive(sound, block, frames);
    voice_sound_mix(sound, block, frames, out);
}
