#include "ear/loudness.h"

#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "ear/decibel.h"

enum {
    STEP_FRAMES = 4800,       // 100 ms
    BLOCK_STEPS = 4,          // 400 ms
    SHORT_TERM_STEPS = 30,    // 3 s
    MOVE_STEPS = 100,         // 10 s
    RANGE_STEPS = 10,         // 1 s
};

static const double absolute_gate_lufs = -70, relative_gate_lu = -10, range_gate_lu = -20, offset_lu = -.691;

// K-weighting at 48 kHz: a shelf for the head, a high-pass for how little of the bass is heard.
static const struct biquad loudness_stages[2] = {
    {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, .73248077421585},
    {1, -2, 1, -1.99004745483398, .99007225036621},
};

static double loudness_weigh(struct biquad_state *states, float sample)
{
    double in = isfinite(sample) ? (double)sample : 0;
    return biquad_run(&loudness_stages[1], &states[1], biquad_run(&loudness_stages[0], &states[0], in));
}

static void loudness_step(struct loudness_meter *meter)
{
    series_add(&meter->steps, meter->energy);
    meter->energy = 0;
    meter->filled = 0;
    for (int i = 0; i < 4; i++)
        biquad_settle(&meter->states[i / 2][i % 2]);
}

void loudness_add(struct loudness_meter *meter, const float *stereo, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        double left = loudness_weigh(meter->states[0], stereo[2 * i]);
        double right = loudness_weigh(meter->states[1], stereo[2 * i + 1]);
        meter->energy += left * left + right * right;
        if (++meter->filled == STEP_FRAMES)
            loudness_step(meter);
    }
}

static double loudness_lufs(double mean_square)
{
    return offset_lu + decibel_of_power(mean_square);
}

static double loudness_power(double lufs)
{
    return decibel_to_power(lufs - offset_lu);
}

// Mean squares of all stretches of `steps` steps, one beginning at each step.
struct loudness_means {
    double *values;
    size_t count;
};

static struct loudness_means loudness_means(const struct series *series, size_t steps)
{
    struct loudness_means means = {.count = series->count < steps ? 0 : series->count - steps + 1};
    means.values = malloc((means.count + 1) * sizeof *means.values);
    for (size_t at = 0; means.values && at < means.count; at++) {
        double sum = 0;
        for (size_t i = 0; i < steps; i++)
            sum += series->values[at + i];
        means.values[at] = sum / (double)(steps * STEP_FRAMES);
    }
    return means;
}

static double loudness_max(const struct loudness_means *means)
{
    double max = 0;
    for (size_t i = 0; i < means->count; i++)
        max = fmax(max, means->values[i]);
    return loudness_lufs(max);
}

// The mean of all that lie above a gate; 0 when none does.
static double loudness_gated(const struct loudness_means *means, double gate)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < means->count; i++) {
        if (means->values[i] > gate) {
            sum += means->values[i];
            count++;
        }
    }
    return count ? sum / (double)count : 0;
}

// The second gate, as a mean square: so much below what passes the first.
static double loudness_gate(const struct loudness_means *means, double below_lu)
{
    double absolute = loudness_power(absolute_gate_lufs);
    return fmax(absolute, loudness_gated(means, absolute) * decibel_to_power(below_lu));
}

static int loudness_compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

// Between the tenth and the ninety-fifth of a hundred. Overwrites the values.
static double loudness_range(struct loudness_means *means)
{
    struct loudness_means sparse = {.values = means->values};
    for (size_t i = 0; i < means->count; i += RANGE_STEPS)
        sparse.values[sparse.count++] = means->values[i];
    double gate = loudness_gate(&sparse, range_gate_lu), *scratch = means->values;
    size_t count = 0;
    for (size_t i = 0; i < sparse.count; i++)
        if (sparse.values[i] > gate)
            scratch[count++] = sparse.values[i];
    if (count == 0)
        return NAN;
    qsort(scratch, count, sizeof *scratch, loudness_compare);
    size_t low = (size_t)((double)(count - 1) * .1 + .5), high = (size_t)((double)(count - 1) * .95 + .5);
    return decibel_of_power(scratch[high] / scratch[low]);
}

static void loudness_move(const struct loudness_means *means, double gate, struct loudness *loudness)
{
    double most = 1;
    for (size_t i = 0; i < means->count; i++) {
        double low = HUGE_VAL, high = 0;
        for (size_t n = i; n < means->count && n <= i + MOVE_STEPS; n++) {
            if (means->values[n] <= gate)
                continue;
            low = fmin(low, means->values[n]);
            high = fmax(high, means->values[n]);
        }
        if (high > 0 && high / low > most) {
            most = high / low;
            loudness->short_term_move_at_s = (double)i * STEP_FRAMES / FRAME_RATE;
        }
    }
    loudness->short_term_move_lu = means->count ? decibel_of_power(most) : NAN;
}

struct loudness loudness_read(const struct loudness_meter *meter)
{
    struct loudness_means blocks = loudness_means(&meter->steps, BLOCK_STEPS);
    struct loudness_means shorts = loudness_means(&meter->steps, SHORT_TERM_STEPS);
    struct loudness loudness = {NAN, NAN, NAN, NAN, NAN, NAN};
    if (!meter->steps.failed && blocks.values && shorts.values) {
        double integrated = loudness_gated(&blocks, loudness_gate(&blocks, relative_gate_lu));
        double gate = fmax(loudness_power(absolute_gate_lufs), integrated * decibel_to_power(range_gate_lu));
        loudness = (struct loudness){
            .integrated_lufs = loudness_lufs(integrated),
            .momentary_max_lufs = loudness_max(&blocks),
            .short_term_max_lufs = loudness_max(&shorts),
            .short_term_move_at_s = NAN,
        };
        loudness_move(&shorts, gate, &loudness);
        loudness.range_lu = loudness_range(&shorts);
    }
    free(blocks.values);
    free(shorts.values);
    return loudness;
}

void loudness_finish(struct loudness_meter *meter)
{
    series_finish(&meter->steps);
}

struct loudness loudness_measure(const float *stereo, size_t frames)
{
    struct loudness_meter meter = {0};
    loudness_add(&meter, stereo, frames);
    struct loudness loudness = loudness_read(&meter);
    loudness_finish(&meter);
    return loudness;
}
