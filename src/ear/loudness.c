#include "ear/loudness.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    STEP_FRAMES = 4800,       // 100 ms
    BLOCK_STEPS = 4,          // 400 ms
    SHORT_TERM_STEPS = 30,    // 3 s
};

static const double loudness_absolute_gate = -70, loudness_relative_gate = -10;

struct biquad {
    double b0, b1, b2, a1, a2;
};

// K-weighting at 48 kHz: a shelf for the head, a high-pass for how little of the bass is heard.
static const struct biquad loudness_stages[2] = {
    {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, .73248077421585},
    {1, -2, 1, -1.99004745483398, .99007225036621},
};

struct loudness_channel {
    double state[2][2];
    double sum;
};

static double loudness_weigh(struct loudness_channel *channel, double sample)
{
    for (int i = 0; i < 2; i++) {
        const struct biquad *stage = &loudness_stages[i];
        double *state = channel->state[i];
        double out = stage->b0 * sample + state[0];
        state[0] = stage->b1 * sample - stage->a1 * out + state[1];
        state[1] = stage->b2 * sample - stage->a2 * out;
        sample = out;
    }
    return sample;
}

// After silence the states fall towards denormal numbers, which are slow.
static void loudness_settle(struct loudness_channel *channel)
{
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 2; n++)
            if (fabs(channel->state[i][n]) < 1e-30)
                channel->state[i][n] = 0;
}

// Sum of the squares of one step, K-weighted.
static double loudness_step(struct loudness_channel *channel, const float *samples, size_t frames, double *peak)
{
    double squares = 0;
    for (size_t i = 0; i < frames; i++) {
        double sample = samples[2 * i], level = fabs(sample);
        if (!(level <= 1e30)) {
            sample = 0;
            level = HUGE_VAL;
        }
        *peak = level > *peak ? level : *peak;
        channel->sum += sample;
        double weighted = loudness_weigh(channel, sample);
        squares += weighted * weighted;
    }
    loudness_settle(channel);
    return squares;
}

static double loudness_lufs(double mean_square)
{
    return mean_square > 0 ? -.691 + 10 * log10(mean_square) : -HUGE_VAL;
}

// Mean square of `steps` steps from `from` on.
static double loudness_mean(const double *energy, size_t from, size_t steps)
{
    double sum = 0;
    for (size_t i = 0; i < steps; i++)
        sum += energy[from + i];
    return sum / (double)(steps * STEP_FRAMES);
}

// Mean square of all blocks above a gate; 0 when there is none.
static double loudness_gated(const double *energy, size_t steps, double gate_lufs)
{
    double sum = 0;
    size_t blocks = 0;
    for (size_t from = 0; from + BLOCK_STEPS <= steps; from++) {
        double mean = loudness_mean(energy, from, BLOCK_STEPS);
        if (loudness_lufs(mean) > gate_lufs) {
            sum += mean;
            blocks++;
        }
    }
    return blocks ? sum / (double)blocks : 0;
}

static double loudness_integrated(const double *energy, size_t steps)
{
    double loud = loudness_gated(energy, steps, loudness_absolute_gate);
    double gate = loudness_lufs(loud) + loudness_relative_gate;
    gate = gate > loudness_absolute_gate ? gate : loudness_absolute_gate;
    return loudness_lufs(loudness_gated(energy, steps, gate));
}

static double loudness_short_term_max(const double *energy, size_t steps)
{
    double max = 0;
    for (size_t from = 0; from + SHORT_TERM_STEPS <= steps; from++)
        max = fmax(max, loudness_mean(energy, from, SHORT_TERM_STEPS));
    return loudness_lufs(max);
}

struct loudness loudness_measure(const float *stereo, size_t frames)
{
    size_t steps = frames / STEP_FRAMES;
    struct loudness_channel left = {.sum = 0}, right = {.sum = 0};
    double *energy = malloc((steps + 1) * sizeof *energy), peak = 0;
    if (!energy)
        return (struct loudness){NAN, NAN, NAN, NAN, NAN};
    for (size_t step = 0; step <= steps; step++) {
        const float *at = stereo + 2 * step * STEP_FRAMES;
        size_t count = step < steps ? STEP_FRAMES : frames % STEP_FRAMES;
        energy[step] = loudness_step(&left, at, count, &peak) + loudness_step(&right, at + 1, count, &peak);
    }
    struct loudness loudness = {
        .integrated_lufs = loudness_integrated(energy, steps),
        .short_term_max_lufs = loudness_short_term_max(energy, steps),
        .sample_peak = peak,
        .dc_left = frames ? left.sum / (double)frames : 0,
        .dc_right = frames ? right.sum / (double)frames : 0,
    };
    free(energy);
    return loudness;
}
