// Shimmer: what the reverb gave, an octave higher, on its way into the reverb again. Stretches of a third of a second
// go through a Fourier transform, the phase of every partial is doubled, and what comes back is played at twice its
// pace. So two stretches that overlap agree in every partial, however many there are: none beats or is out of tune. It
// works at a quarter of the rate, on both sides as one, for it is dark and the room is wide.
// Source: J. Laroche, M. Dolson, Improved phase vocoder time-scale modification of audio, IEEE Transactions on Speech
// and Audio Processing 7 (1999); that neighbours share their phase: M. Puckette, Phase-locked vocoder, WASPAA (1995).
#pragma once
#include "synth/dsp/fourier.h"
#include "synth/dsp/half_band.h"
#include "synth/instruments/lane_bus.h"

// Of what is sent back at most; less is lost by the reverb than is gained only where this nears 1.
#define SHIMMER_MOST 0.5f

// What is heard an octave higher lies below 4.5 kHz, and is soft from 4 kHz on.
enum { SHIMMER_BINS = 1536, SHIMMER_LAST_BINS = 128 };
// Where a stretch comes in and goes.
enum { SHIMMER_EDGE = FOURIER_SIZE / 8 };

// Frequencies 0 .. SHIMMER_BINS + 1 of a stretch.
struct shimmer_spectrum {
    alignas(64) float re[SHIMMER_BINS + LANES], im[SHIMMER_BINS + LANES];
};

struct shimmer_work {
    struct fourier wave, spare;
    struct fourier_roots roots;
    struct shimmer_spectrum heard[2], doubled[2];
};

// Two stretches, a quarter of their length apart, as the parts of complex numbers.
INLINE void shimmer_take(const float *past, struct fourier *wave)
{
    for (int i = 0; i < FOURIER_SIZE; i += SYNTH_WIDTH) {
        vf half = vf_sin_phase(vu_count((uint32_t)i) * (UINT32_C(0x80000000) / FOURIER_SIZE)), window = half * half;
        vf_store(wave->re + i, vf_load_anywhere(past + i) * window);
        vf_store(wave->im + i, vf_load_anywhere(past + FOURIER_QUARTER + i) * window);
    }
}

// Tells the spectra of the two apart.
INLINE void shimmer_part(const struct fourier *restrict wave, struct shimmer_spectrum heard[restrict 2])
{
    for (int k = 1; k <= SHIMMER_BINS + 1; k++) {
        float re = wave->re[k], im = wave->im[k];
        float below_re = wave->re[FOURIER_SIZE - k], below_im = wave->im[FOURIER_SIZE - k];
        heard[0].re[k] = re + below_re;
        heard[0].im[k] = im - below_im;
        heard[1].re[k] = im + below_im;
        heard[1].im[k] = below_re - re;
    }
    heard[0].re[0] = heard[0].im[0] = heard[1].re[0] = heard[1].im[0] = 0;
}

// How much of a frequency is played: 12 dB an octave less from 4 kHz on.
INLINE float shimmer_weight(int bin)
{
    const float scale = 0.5f / FOURIER_SIZE / 0.99494371f;  // of the transforms, and of stretches that overlap
    const float corner = 4000.0f / (0.25f * FRAME_RATE / FOURIER_SIZE);
    float ratio = (float)bin * (1.0f / corner), last = (float)(SHIMMER_BINS - bin) * (1.0f / SHIMMER_LAST_BINS);
    return (last < 1.0f ? last : 1.0f) * scale / (1.0f + ratio * ratio);
}

// Doubles phases: each number is turned by the phase that it and its neighbours have. What leads over from one to the
// next alternates in sign, for the middle of a stretch is half a turn away from where phases are counted.
INLINE void shimmer_double(const struct shimmer_spectrum *restrict heard, struct shimmer_spectrum *restrict doubled)
{
    for (int k = 1; k <= SHIMMER_BINS; k++) {
        float re = heard->re[k], im = heard->im[k];
        float by_re = re - (heard->re[k - 1] + heard->re[k + 1]) * 0.5f;
        float by_im = im - (heard->im[k - 1] + heard->im[k + 1]) * 0.5f;
        float weight = shimmer_weight(k) / __builtin_sqrtf(by_re * by_re + by_im * by_im + 1e-30f);
        doubled->re[k] = (re * by_re - im * by_im) * weight;
        doubled->im[k] = (re * by_im + im * by_re) * weight;
    }
}

// The spectrum of which a transform makes both stretches, the second one upside down.
INLINE void shimmer_join(const struct shimmer_spectrum doubled[restrict 2], struct fourier *restrict wave)
{
    memset(wave, 0, sizeof *wave);
    for (int k = 1; k <= SHIMMER_BINS; k++) {
        wave->re[k] = doubled[0].re[k] - doubled[1].im[k];
        wave->im[k] = 0.0f - doubled[0].im[k] - doubled[1].re[k];
        wave->re[FOURIER_SIZE - k] = doubled[0].re[k] + doubled[1].im[k];
        wave->im[FOURIER_SIZE - k] = doubled[0].im[k] - doubled[1].re[k];
    }
}

// Adds a stretch, whose middle is its number 0, to what is to come.   sign: 1 or -1.
INLINE void shimmer_add(const float *stretch, float sign, float *coming)
{
    for (int i = 0; i < FOURIER_SIZE; i++) {
        int edge = i < FOURIER_SIZE / 2 ? i : FOURIER_SIZE - 1 - i;
        float share = edge < SHIMMER_EDGE ? ((float)edge + 0.5f) * (1.0f / SHIMMER_EDGE) : 1.0f;
        coming[i] += stretch[i ^ FOURIER_SIZE / 2] * smooth_of(share) * sign;
    }
}

// Apart from what every block does, which needs no such room.
__attribute__((noinline, unused)) static void shimmer_turn(const float *past, float *coming)
{
    struct shimmer_work w;
    fourier_find_roots(&w.roots);
    shimmer_take(past, &w.wave);
    fourier_transform(&w.wave, &w.spare, &w.roots);
    shimmer_part(&w.wave, w.heard);
    shimmer_double(&w.heard[0], &w.doubled[0]);
    shimmer_double(&w.heard[1], &w.doubled[1]);
    shimmer_join(w.doubled, &w.wave);
    fourier_transform(&w.wave, &w.spare, &w.roots);
    shimmer_add(w.wave.re, 1.0f, coming);
    shimmer_add(w.wave.im, -1.0f, coming + FOURIER_SIZE / 2);
}

// What comes after the block that ends a turn. Who was not heard has nothing to say.
INLINE void shimmer_go_on(struct shimmer *s)
{
    enum { GONE = SHIMMER_TURN / 2, LEFT = SHIMMER_COMING - GONE };
    memmove(s->coming, s->coming + GONE, LEFT * sizeof *s->coming);
    memset(s->coming + LEFT, 0, GONE * sizeof *s->coming);
    if (s->level > 0)
        shimmer_turn(s->past, s->coming + HALF_BAND_KEPT);
    memmove(s->past, s->past + SHIMMER_TURN / 4, (SHIMMER_PAST - SHIMMER_TURN / 4) * sizeof *s->past);
}

// Adds to what goes into the reverb.   amount: 0..1, moved to in a straight line.
INLINE void shimmer_send(struct shimmer *s, uint64_t frame, float amount, struct stereo_block *send)
{
    const float *coming = s->coming + frame % SHIMMER_TURN / 2;
    float between[CONTROL_FRAMES / 2], high[CONTROL_FRAMES];
    float level = s->level, step = (amount * SHIMMER_MOST - level) * (1.0f / CONTROL_FRAMES);
    half_band_between(coming, CONTROL_FRAMES / 2, between);
    for (int i = 0; i < CONTROL_FRAMES / 2; i++) {
        high[2 * i] = coming[HALF_BAND_TAPS - 1 + i];
        high[2 * i + 1] = between[i];
    }
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float add = high[i] * (level + (float)i * step);
        send->left[i] += add;
        send->right[i] += add;
    }
    s->level = amount * SHIMMER_MOST;
}

// Every second frame of what lies below a quarter of the rate.
INLINE void shimmer_halve(struct shimmer_halves *kept, const float *x, int frames, float *out)
{
    float even[HALF_BAND_TAPS - 1 + CONTROL_FRAMES / 2], odd[HALF_BAND_KEPT + CONTROL_FRAMES / 2];
    memcpy(even, kept->even, sizeof kept->even);
    memcpy(odd, kept->odd, sizeof kept->odd);
    for (int i = 0; i < frames / 2; i++) {
        even[HALF_BAND_TAPS - 1 + i] = x[2 * i];
        odd[HALF_BAND_KEPT + i] = x[2 * i + 1];
    }
    half_band_between(odd, frames / 2, out);
    for (int i = 0; i < frames / 2; i++)
        out[i] = (out[i] + even[i]) * 0.5f;
    memcpy(kept->even, even + frames / 2, sizeof kept->even);
    memcpy(kept->odd, odd + frames / 2, sizeof kept->odd);
}

// Keeps what the reverb gave.
INLINE void shimmer_keep(struct shimmer *s, uint64_t frame, const struct stereo_block *wet)
{
    enum { OLDER = SHIMMER_PAST - SHIMMER_TURN / 4 };
    float middle[CONTROL_FRAMES], half[CONTROL_FRAMES / 2];
    for (int i = 0; i < CONTROL_FRAMES; i++)
        middle[i] = (wet->left[i] + wet->right[i]) * 0.5f;
    shimmer_halve(&s->halves[0], middle, CONTROL_FRAMES, half);
    shimmer_halve(&s->halves[1], half, CONTROL_FRAMES / 2, s->past + OLDER + frame % SHIMMER_TURN / 4);
    if ((frame + CONTROL_FRAMES) % SHIMMER_TURN == 0)
        shimmer_go_on(s);
}
