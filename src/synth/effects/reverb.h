// Stereo feedback delay network of 16 modulated lines. Every line is read, damped, mixed and written for a whole block
// at once, which the shortest line makes possible: it is longer than a block and the swing of its modulation.
#pragma once
#include "synth/dsp/highpass.h"
#include "synth/dsp/math.h"
#include "synth/dsp/ring.h"
#include "synth/instruments/lane_bus.h"

#define REVERB_SWING_FRAMES 6.0f

// Primes, so that no two lines share a period.
static const uint16_t reverb_delay[REVERB_LINES] = {
    1009, 1117, 1231, 1361, 1511, 1663, 1847, 2029, 2243, 2477, 2741, 3023, 3343, 3691, 4079, 4507,
};

// Frames in a line's ring: room for delay, swing and interpolation, in whole blocks.
INLINE uint32_t reverb_ring_frames(int line)
{
    return ((uint32_t)reverb_delay[line] + 10 + 63) / 64 * 64;
}

struct reverb_work {
    alignas(64) float line[REVERB_LINES][CONTROL_FRAMES];
    alignas(64) float tapped[CONTROL_FRAMES + 16];
    alignas(64) float delay_from[REVERB_LINES], delay_to[REVERB_LINES];
    alignas(64) float gain[REVERB_LINES], damping[REVERB_LINES];
};

// Delays at the ends of the block: a slow wave per line, a pure function of the absolute block.
INLINE void reverb_delays(uint32_t block, struct reverb_work *w)
{
    alignas(64) uint32_t from[REVERB_LINES], step[REVERB_LINES];
    alignas(64) float base[REVERB_LINES];
    for (uint32_t n = 0; n < REVERB_LINES; n++) {
        // .11 to .47 Hz.
        step[n] = 630000u + n * 137131u;
        from[n] = n * 0x9e3779b1u + block * step[n];
        base[n] = reverb_delay[n];
    }
    for (int n = 0; n < REVERB_LINES; n += SYNTH_WIDTH) {
        vu phase = vu_load(from + n);
        vf_store(w->delay_from + n, vf_load(base + n) + vf_sin_phase(phase) * REVERB_SWING_FRAMES);
        phase += vu_load(step + n);
        vf_store(w->delay_to + n, vf_load(base + n) + vf_sin_phase(phase) * REVERB_SWING_FRAMES);
    }
}

// Gain per pass for a decay of 60 dB in 4 to 20 s, and the share of the damping's second tap: longer lines are passed
// less often, so they lose more each time. Frozen, nothing is lost but what the taps take from the highs.
INLINE void reverb_gains(float space, float freeze, struct reverb_work *w)
{
    float seconds = exp2_of(2.0f + 2.3219281f * space);
    for (int n = 0; n < REVERB_LINES; n++) {
        w->gain[n] = reverb_delay[n] * (-9.9657843f / FRAME_RATE) / seconds;
        w->damping[n] = reverb_delay[n] * (0.34f - 0.28f * space) / 4507.0f * (1.0f - freeze);
    }
    for (int n = 0; n < REVERB_LINES; n += SYNTH_WIDTH)
        vf_store(w->gain + n, vf_exp2(vf_load(w->gain + n) * (1.0f - freeze)));
}

// Two-tap damping and the gain of the pass, on a straight line from what was reached.
INLINE void reverb_damp(struct reverb *r, int line, const struct reverb_work *w, const float *in, float *out)
{
    float gain = r->gain[line], step = (w->gain[line] - gain) * (1.0f / CONTROL_FRAMES);
    float share = w->damping[line], keep = 1.0f - share;
    out[0] = (in[0] * keep + r->before[line] * share) * gain;
    for (int i = 1; i < CONTROL_FRAMES; i++)
        out[i] = (in[i] * keep + in[i - 1] * share) * (gain + (float)i * step);
    r->before[line] = in[CONTROL_FRAMES - 1];
    r->gain[line] = w->gain[line];
}

// Hadamard matrix of four lines, unscaled.
INLINE void reverb_mix_four(float *restrict a, float *restrict b, float *restrict c, float *restrict d)
{
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float ab = a[i] + b[i], a_b = a[i] - b[i], cd = c[i] + d[i], c_d = c[i] - d[i];
        a[i] = ab + cd;
        b[i] = a_b + c_d;
        c[i] = ab - cd;
        d[i] = a_b - c_d;
    }
}

// That of all lines, which is that of four in both directions.
INLINE void reverb_mix(float line[REVERB_LINES][CONTROL_FRAMES])
{
    for (int step = 1; step < REVERB_LINES; step *= 4)
        for (int n = 0; n < REVERB_LINES; n++)
            if (!(n & (3 * step)))
                reverb_mix_four(line[n], line[n + step], line[n + 2 * step], line[n + 3 * step]);
}

// One all-pass of the diffusion. Its delay is longer than a block, so no frame waits for another.
// Source: M. R. Schroeder, Natural sounding artificial reverberation, JAES 10 (1962).
INLINE void reverb_diffuse(float *restrict ring, uint64_t frame, uint32_t delay, float *restrict x)
{
    const float *late = ring_late(ring, DIFFUSER_FRAMES, frame, delay);
    float held[CONTROL_FRAMES];
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        held[i] = x[i] + late[i] * 0.6f;
        x[i] = late[i] - held[i] * 0.6f;
    }
    ring_write(ring, DIFFUSER_FRAMES, frame, held);
}

// Every echo becomes a handful, so that the sound is dense before the lines have made it so.
INLINE void reverb_scatter(struct reverb *r, uint64_t frame, struct stereo_block *in)
{
    static const uint16_t delay[2][DIFFUSERS] = {{131, 199, 307, 431}, {149, 223, 283, 443}};
    for (int n = 0; n < DIFFUSERS; n++) {
        reverb_diffuse(r->diffuser[0][n], frame, delay[0][n], in->left);
        reverb_diffuse(r->diffuser[1][n], frame, delay[1][n], in->right);
    }
}

// in: a quarter of what the matrix gave plus the input of the line's side.
INLINE void reverb_write(float *ring, uint32_t ring_frames, uint64_t frame, const float *line, const float *in,
                         float sign)
{
    float sum[CONTROL_FRAMES];
    for (int i = 0; i < CONTROL_FRAMES; i++)
        sum[i] = line[i] * 0.25f + in[i] * sign;
    ring_write(ring, ring_frames, frame, sum);
}

// Sums the even lines to the left and the odd ones to the right, signs alternating, with a little of the other side.
INLINE void reverb_collect(struct reverb *r, const struct reverb_work *w, float level, struct stereo_block *out)
{
    float from = r->level, step = (level - from) * (1.0f / CONTROL_FRAMES);
    memset(out, 0, sizeof *out);
    for (int n = 0; n < REVERB_LINES; n += 4)
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            out->left[i] += w->line[n][i] - w->line[n + 2][i];
            out->right[i] += w->line[n + 1][i] - w->line[n + 3][i];
        }
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float gain = from + (float)i * step, left = out->left[i] * gain, right = out->right[i] * gain;
        out->left[i] = left + right * 0.16f;
        out->right[i] = right + left * 0.16f;
    }
    r->level = level;
}

// Low cut at 160 Hz.
INLINE void reverb_cut(struct reverb *r, struct stereo_block *in)
{
    static const struct highpass cut = {{0.970599014f, 0.020636819f, 2.16116164e-4f}, 1.41421356f};
    float left[2] = {r->cut[0][0], r->cut[0][1]}, right[2] = {r->cut[1][0], r->cut[1][1]};
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        in->left[i] = highpass_tick(&cut, left, in->left[i]);
        in->right[i] = highpass_tick(&cut, right, in->right[i]);
    }
    memcpy(r->cut[0], left, sizeof left);
    memcpy(r->cut[1], right, sizeof right);
}

// What comes in while the room freezes.
INLINE void reverb_close(struct reverb *r, float freeze, struct stereo_block *in)
{
    float open = 1.0f - r->frozen, step = (r->frozen - freeze) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        in->left[i] *= open + (float)i * step;
        in->right[i] *= open + (float)i * step;
    }
    r->frozen = freeze;
}

// send: changed on the way.   space, freeze: 0..1.   out: wet sound, about as loud at every decay.
INLINE void reverb_render(struct reverb *r, uint64_t frame, float space, float freeze, struct stereo_block *send,
                          struct stereo_block *out)
{
    struct reverb_work w;
    reverb_delays((uint32_t)(frame / CONTROL_FRAMES), &w);
    reverb_gains(space, freeze, &w);
    reverb_close(r, freeze, send);
    reverb_cut(r, send);
    reverb_scatter(r, frame, send);
    float *ring = r->ring;
    for (int n = 0; n < REVERB_LINES; n++) {
        ring_tap(ring, reverb_ring_frames(n), frame, w.delay_from[n], w.delay_to[n], w.tapped);
        reverb_damp(r, n, &w, w.tapped, w.line[n]);
        ring += reverb_ring_frames(n) + RING_GUARD;
    }
    reverb_collect(r, &w, exp2_of(-1.0f - 1.16f * space), out);
    reverb_mix(w.line);
    ring = r->ring;
    for (int n = 0; n < REVERB_LINES; n++) {
        const float *in = n & 1 ? send->right : send->left;
        reverb_write(ring, reverb_ring_frames(n), frame, w.line[n], in, n & 4 ? -1.0f : 1.0f);
        ring += reverb_ring_frames(n) + RING_GUARD;
    }
}
