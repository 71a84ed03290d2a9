// The audio of one part of a segment: VOICE_LANES successive samples at a time, phases as integers.
#pragma once
#include "synth/voice/lines.h"

enum { VOICE_VECTORS = VOICE_LANES / SYNTH_WIDTH };

// What does not change while a patch is rendered, and where it has come to.
struct voice_sound {
    float drive, shape;        // of the square and saw
    const uint32_t *powers;    // of the noise's multiplier
    uint32_t phase[2];         // 2^28 to a turn
    uint32_t noise;
    float *out, *end;
    alignas(64) float peak[SYNTH_WIDTH];
};

// So many samples, at most VOICE_SEGMENT_MAX, over which nothing bends.
struct voice_part {
    int frames;
    float increment[2], slope[2], ratio[2];   // as in voice_tone_lines
    float amp[3], amp_slope[3];
};

// A part's lanes, and what moves them on by VOICE_LANES samples.
struct voice_lanes {
    vf turned[2][VOICE_VECTORS], ratio[2];    // how far the phase has turned since the last sample before these
    vf amp[3][VOICE_VECTORS], amp_step[3];
    vu phase[2], noise;
};

static const alignas(64) float voice_lane[VOICE_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

INLINE void voice_store_any(float *to, vf x)
{
    __builtin_memcpy(to, &x, sizeof x);
}

// The last lane's word in every lane.
INLINE vu vu_last(vu x)
{
#if SYNTH_WIDTH == 1
    return x;
#else
    return __builtin_shuffle(x, vu_set(SYNTH_WIDTH - 1));
#endif
}

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

static void voice_lanes_init(struct voice_lanes *lanes, const struct voice_sound *sound, const struct voice_part *part)
{
    for (int o = 0; o < 2; o++) {
        bool gentle = part->slope[o] * part->slope[o] <= 0x1p-16f;
        for (int v = 0; v < VOICE_VECTORS; v++) {
            vf nth = vf_min(vf_load(voice_lane + v * SYNTH_WIDTH) + 1.0f, vf_set((float)part->frames));
            vf x = nth * part->slope[o];
            lanes->turned[o][v] = nth * part->increment[o] * (gentle ? voice_series_short(x) : voice_series(x));
        }
        lanes->ratio[o] = vf_set(part->ratio[o]);
        lanes->phase[o] = vu_set(sound->phase[o]);
    }
    for (int a = 0; a < 3; a++) {
        for (int v = 0; v < VOICE_VECTORS; v++)
            lanes->amp[a][v] = vf_load(voice_lane + v * SYNTH_WIDTH) * part->amp_slope[a] + part->amp[a];
        lanes->amp_step[a] = vf_set(part->amp_slope[a] * VOICE_LANES);
    }
    lanes->noise = vu_set(sound->noise);
}

// Vector v of the lanes; moves its lanes on.   phase: where both phases are at its samples.
INLINE vf voice_vector(const struct voice_sound *sound, struct voice_lanes *lanes, int v, const uint32_t *powers,
                       vu phase[2])
{
    for (int o = 0; o < 2; o++) {
        phase[o] = lanes->phase[o] + vu_from(lanes->turned[o][v]);
        lanes->turned[o][v] *= lanes->ratio[o];
    }
    vf noise = vf_from(lanes->noise * vu_load(powers + v * SYNTH_WIDTH));
    vf sum = voice_sine(phase[0] << 4) * lanes->amp[0][v];
    sum += voice_square_saw(phase[1] << 4, sound->drive, sound->shape) * lanes->amp[1][v];
    sum += noise * lanes->amp[2][v];
    for (int a = 0; a < 3; a++)
        lanes->amp[a][v] += lanes->amp_step[a];
    return sum;
}

INLINE vf voice_chunk(const struct voice_sound *sound, struct voice_lanes *lanes, const uint32_t *powers, float *out,
                      vf peak)
{
    vu phase[2];
    for (int v = 0; v < VOICE_VECTORS; v++) {
        vf sum = voice_vector(sound, lanes, v, powers, phase);
        voice_store_any(out + v * SYNTH_WIDTH, sum);
        peak = vf_max(peak, vf_abs(sum));
    }
    for (int o = 0; o < 2; o++)
        lanes->phase[o] = vu_last(phase[o]);
    return peak;
}

// The first `frames` lanes, 0 < frames < VOICE_LANES.
INLINE vf voice_tail(struct voice_sound *sound, struct voice_lanes *lanes, const uint32_t *powers, int frames,
                     float *out, vf peak)
{
    alignas(64) uint32_t phases[2][VOICE_LANES];
    alignas(64) float sums[VOICE_LANES];
    for (int v = 0; v * SYNTH_WIDTH < frames; v++) {
        vu phase[2];
        vf sum = voice_vector(sound, lanes, v, powers, phase);
        vu within = vf_less(vf_load(voice_lane + v * SYNTH_WIDTH), vf_set((float)frames));
        for (int o = 0; o < 2; o++)
            vu_store(phases[o] + v * SYNTH_WIDTH, phase[o]);
        peak = vf_max(peak, vf_bits(vu_bits(vf_abs(sum)) & within));
        if (sound->end - out >= VOICE_LANES)  // what is too much is written over by the next part
            voice_store_any(out + v * SYNTH_WIDTH, sum);
        else
            vf_store(sums + v * SYNTH_WIDTH, sum);
    }
    if (sound->end - out < VOICE_LANES)
        __builtin_memcpy(out, sums, (size_t)frames * sizeof *sums);
    for (int o = 0; o < 2; o++)
        sound->phase[o] = phases[o][frames - 1];
    return peak;
}

static void voice_part_render(struct voice_sound *sound, const struct voice_part *part)
{
    struct voice_lanes lanes;
    vf peak = vf_load(sound->peak);
    int done = 0;
    voice_lanes_init(&lanes, sound, part);
    for (; done + VOICE_LANES <= part->frames; done += VOICE_LANES)
        peak = voice_chunk(sound, &lanes, sound->powers + done, sound->out + done, peak);
    for (int o = 0; o < 2; o++)
        sound->phase[o] = vu_first(lanes.phase[o]);
    if (done < part->frames)
        peak = voice_tail(sound, &lanes, sound->powers + done, part->frames - done, sound->out + done, peak);
    vf_store(sound->peak, peak);
    sound->noise *= sound->powers[part->frames];
    sound->out += part->frames;
}
