#include "ear/clicks.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ear/highpass.h"

enum {
    BIN_FRAMES = 48,            // 1 ms
    NEAR_BINS = 10,             // surroundings begin so far away
    FAR_BINS = 250,             // and end here
    WINDOW_BINS = FAR_BINS - NEAR_BINS + 1,
    DIFFERENCE_LANES = 16,
    RUN_BINS = 64,              // filtered at once
};

static const double clicks_ratio = 3;
static const float clicks_floor = 1e-5f;

static inline float clicks_bend(const float *captured, const float *reference)
{
    return fabsf(captured[4] - reference[4] - 2 * (captured[2] - reference[2]) + (captured[0] - reference[0]));
}

double clicks_difference(const float *captured, const float *reference, size_t frames)
{
    size_t count = frames < 3 ? 0 : 2 * (frames - 2), at = 0;
    float max[DIFFERENCE_LANES] = {0};
    int odd[DIFFERENCE_LANES] = {0};   // lanes that met what is not a finite number
    for (; at + DIFFERENCE_LANES <= count; at += DIFFERENCE_LANES) {
        for (int lane = 0; lane < DIFFERENCE_LANES; lane++) {
            float bend = clicks_bend(captured + at + lane, reference + at + lane);
            max[lane] = bend > max[lane] ? bend : max[lane];
            odd[lane] |= !(bend <= 1e30f);
        }
    }
    for (int lane = 0; at < count; at++, lane++) {
        float bend = clicks_bend(captured + at, reference + at);
        max[lane] = bend > max[lane] ? bend : max[lane];
        odd[lane] |= !(bend <= 1e30f);
    }
    double largest = 0;
    for (int lane = 0; lane < DIFFERENCE_LANES; lane++)
        largest = odd[lane] ? HUGE_VAL : fmax(largest, max[lane]);
    return largest;
}

// The material after the high-pass, as one peak of both channels for each millisecond.
struct clicks_peaks {
    const float *stereo;
    struct highpass highpass;
    float *bins;
    size_t count;
};

// Infinite when something is not a number.
static float clicks_peak(const float *samples, size_t count)
{
    float max = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        float level = fabsf(samples[i]);
        max = level > max ? level : max;
        sum += level;
    }
    return sum <= 1e30f ? max : HUGE_VALF;
}

static bool clicks_peaks_init(struct clicks_peaks *peaks, const float *stereo, size_t frames)
{
    float filtered[RUN_BINS * BIN_FRAMES * 2];
    size_t usable = frames < HIGHPASS_TAPS ? 0 : frames - HIGHPASS_TAPS + 1;
    peaks->stereo = stereo;
    peaks->count = usable / BIN_FRAMES;
    peaks->bins = malloc((peaks->count + 1) * sizeof *peaks->bins);
    if (!peaks->bins)
        return false;
    highpass_init(&peaks->highpass);
    for (size_t bin = 0; bin < peaks->count;) {
        size_t run = peaks->count - bin < RUN_BINS ? peaks->count - bin : RUN_BINS;
        highpass_run(&peaks->highpass, stereo + 2 * bin * BIN_FRAMES, filtered, run * BIN_FRAMES);
        for (size_t i = 0; i < run; i++, bin++)
            peaks->bins[bin] = clicks_peak(filtered + 2 * i * BIN_FRAMES, 2 * BIN_FRAMES);
    }
    return true;
}

// The frame within a bin at which the filtered sound is loudest.
static uint64_t clicks_peak_frame(const struct clicks_peaks *peaks, size_t bin)
{
    float filtered[BIN_FRAMES * 2];
    size_t loudest = 0;
    highpass_run(&peaks->highpass, peaks->stereo + 2 * bin * BIN_FRAMES, filtered, BIN_FRAMES);
    for (size_t i = 1; i < 2 * BIN_FRAMES; i++)
        if (!(fabsf(filtered[i]) <= fabsf(filtered[loudest])))
            loudest = i;
    return bin * BIN_FRAMES + loudest / 2 + HIGHPASS_DELAY;
}

// windows[b] = the largest of WINDOW_BINS bins from b on (fewer at the end), by a queue of falling candidates.
static void clicks_sliding_max(const float *bins, size_t count, float *windows, size_t *queue)
{
    size_t head = 0, tail = 0;
    for (size_t bin = count; bin-- > 0;) {
        while (tail > head && bins[queue[tail - 1]] <= bins[bin])
            tail--;
        queue[tail++] = bin;
        while (queue[head] >= bin + WINDOW_BINS)
            head++;
        windows[bin] = bins[queue[head]];
    }
}

static float clicks_surroundings(const float *windows, size_t count, size_t bin)
{
    float level = clicks_floor;
    if (bin + NEAR_BINS < count && windows[bin + NEAR_BINS] > level)
        level = windows[bin + NEAR_BINS];
    return level;
}

static float clicks_before(const float *bins, const float *windows, size_t bin)
{
    if (bin >= FAR_BINS)
        return windows[bin - FAR_BINS];
    float level = 0;
    for (size_t i = 0; i + NEAR_BINS <= bin; i++)
        level = bins[i] > level ? bins[i] : level;
    return level;
}

static double clicks_bin_ratio(const struct clicks_peaks *peaks, const float *windows, size_t bin)
{
    float after = clicks_surroundings(windows, peaks->count, bin), before = clicks_before(peaks->bins, windows, bin);
    if (isinf(peaks->bins[bin]))
        return HUGE_VAL;
    return (double)peaks->bins[bin] / (before > after ? before : after);
}

struct clicks_onsets {
    const uint64_t *frames;
    size_t count, next;     // onsets before `next` lie too far back
};

// Asked with ascending frames.
static bool clicks_is_onset(struct clicks_onsets *onsets, uint64_t frame)
{
    while (onsets->next < onsets->count && onsets->frames[onsets->next] + CLICKS_ONSET_AFTER_FRAMES < frame)
        onsets->next++;
    return onsets->next < onsets->count && onsets->frames[onsets->next] <= frame + CLICKS_ONSET_BEFORE_FRAMES;
}

struct clicks_list {
    struct click *found;
    size_t cap;
    long count;
    size_t last_bin;
    float loudest;      // of the last click
};

// Of bins that belong together the loudest one stands for the click.

static void clicks_add(struct clicks_list *list, const struct clicks_peaks *peaks, size_t bin, double ratio)
{
    bool same = list->count > 0 && bin - list->last_bin < NEAR_BINS;
    list->last_bin = bin;
    if (same && peaks->bins[bin] <= list->loudest)
        return;
    list->count += !same;
    list->loudest = peaks->bins[bin];
    if ((size_t)list->count <= list->cap)
        list->found[list->count - 1] = (struct click){.frame = clicks_peak_frame(peaks, bin), .ratio = ratio};
}

long clicks_find(const float *stereo, size_t frames, const uint64_t *onsets, size_t onset_count, struct click *found,
                 size_t cap)
{
    struct clicks_peaks peaks;
    if (!clicks_peaks_init(&peaks, stereo, frames))
        return -1;
    struct clicks_list list = {.found = found, .cap = cap};
    struct clicks_onsets known = {.frames = onsets, .count = onsets ? onset_count : 0};
    float *windows = malloc((peaks.count + 1) * sizeof *windows);
    size_t *queue = malloc((peaks.count + 1) * sizeof *queue);
    if (windows && queue) {
        clicks_sliding_max(peaks.bins, peaks.count, windows, queue);
        for (size_t bin = 0; bin < peaks.count; bin++) {
            double ratio = clicks_bin_ratio(&peaks, windows, bin);
            if (ratio > clicks_ratio && !clicks_is_onset(&known, bin * BIN_FRAMES + HIGHPASS_DELAY))
                clicks_add(&list, &peaks, bin, ratio);
        }
    } else {
        list.count = -1;
    }
    free(peaks.bins);
    free(windows);
    free(queue);
    return list.count;
}
