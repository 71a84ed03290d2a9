// The audio: two oscillators and noise, VOICE_STEP samples at a time.
#pragma once
#include "synth/dsp/math.h"
#include "synth/voice/noise.h"
#include "synth/voice/work.h"

enum { VOICE_STEP_VECTORS = VOICE_STEP / SYNTH_WIDTH };

struct voice_sound {
    float drive, shape;                    // of the square and saw
    vu noise[VOICE_STEP_VECTORS], noise_step;
    vf peak;
};

// Sine and cosine share what folds the phase. |s| <= 1/2: cos(phase) = sin(pi s), |sin(phase)| = cos(pi s).
INLINE vf voice_fold(vu phase)
{
    return 0.5f - vf_abs(vf_from(phase)) * 0x1p-31f;
}

// Absolute error below 7e-7.
INLINE vf voice_cos(vf s, vf q)
{
    vf p = q * -5.546334621e-1f + 2.541897832f;
    p = p * q - 5.167142647f;
    p = p * q + 3.141582017f;
    return p * s;
}

// Absolute error below 1e-7.
INLINE vf voice_sin_size(vf q)
{
    vf p = q * 0.2196967766f - 1.33188015f;
    p = p * q + 4.058411912f;
    p = p * q - 4.934792859f;
    return p * q + 0.9999999535f;
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

// tanh(drive sin) (1 + shape cos). Between square and saw.
// Source: V. Lazzarini, J. Timoney, New perspectives on distortion synthesis for virtual analog oscillators, Computer
// Music Journal 34 (2010).
INLINE vf voice_square_saw(vu phase, float drive, float shape)
{
    vf s = voice_fold(phase), q = s * s;
    vf size = voice_tanh(voice_sin_size(q) * drive);
    vf square = vf_bits(vu_bits(size) ^ (phase & 0x80000000));
    return square * (voice_cos(s, q) * shape + 1.0f);
}

INLINE vf voice_sine(vu phase)
{
    vf s = voice_fold(phase);
    return voice_cos(s, s * s);
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

INLINE vf voice_mixed(const struct voice_sound *sound, const struct voice_block *block, int n, vu noise)
{
    vf sum = voice_sine(vu_load(block->phase[0] + n) << 4) * vf_load(block->amp[0] + n);
    sum += voice_square_saw(vu_load(block->phase[1] + n) << 4, sound->drive, sound->shape) * vf_load(block->amp[1] + n);
    return sum + vf_from(noise) * vf_load(block->amp[2] + n);
}

// frames: a multiple of VOICE_STEP.
static void voice_sound_run(struct voice_sound *sound, const struct voice_block *block, int frames, float *out)
{
    struct voice_sound now = *sound;
    for (int n = 0; n < frames; n += VOICE_STEP)
        for (int v = 0; v < VOICE_STEP_VECTORS; v++) {
            vf sum = voice_mixed(&now, block, n + v * SYNTH_WIDTH, now.noise[v]);
            now.noise[v] *= now.noise_step;
            now.peak = vf_max(now.peak, vf_abs(sum));
            __builtin_memcpy(out + n + v * SYNTH_WIDTH, &sum, sizeof sum);
        }
    *sound = now;
}
