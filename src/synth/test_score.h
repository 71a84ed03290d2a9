// What the tests of this folder share: a busy little score, a way to render it, and measures. Tests only.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "synth/synth.h"

enum { TEST_MAX_EVENTS = 4096 };

struct test_score {
    struct event events[TEST_MAX_EVENTS];
    int count;
};

// Every layer at 1, all else in the middle; no shimmer, chorus, echo or freeze.
#define TEST_MIX_MIDDLE \
    {.gain = {1, 1, 1, 1, 1, 1, 1}, .brightness = 0.5f, .motion = 0.5f, .space = 0.5f, .warmth = 0.5f, .loudness = -18}
// The same with all effects on.
#define TEST_MIX_WET \
    {.gain = {1, 1, 1, 1, 1, 1, 1}, .brightness = 0.5f, .motion = 0.5f, .space = 0.5f, .warmth = 0.5f, \
     .shimmer = 0.3f, .chorus = 0.5f, .echo = 0.4f, .loudness = -18}

// Bits of layers, for test_score_fill.
enum {
    TEST_PADS = 1, TEST_LEAD = 2, TEST_KICKS = 4, TEST_SWELLS = 8, TEST_ALL = 15, TEST_TONAL = 16, TEST_TEXTURES = 32
};

void test_score_mix(struct test_score *score, double at_s, struct mix mix);
// A note that holds for hold_s; its id is its number in the score.
void test_score_note(struct test_score *score, double at_s, enum instrument instrument, int lane, float pitch,
                     double hold_s);
// Chords every 12 s, a melody, a kick every 10 s, a swell every 20 s; lanes of all groups are used. Sorts the score.
void test_score_fill(struct test_score *score, double seconds, int layers);
void test_score_sort(struct test_score *score);

// A state at its start, aligned; free() it.
void *test_state(uint64_t frame);
// Renders `seconds` from frame 0 in calls of `blocks`; returns interleaved stereo, free() it. The first SYNTH_LOOKAHEAD
// frames, which lie before frame 0, are left out.
float *test_render(const struct backend *backend, const struct test_score *score, double seconds, int blocks);
// Events from `from` to `to` of a score, for one call.
int test_events(const struct test_score *score, uint64_t from, uint64_t to, const struct event **first);
// Largest ratio of the peak of a millisecond, above 14 kHz, to the largest within 10 .. 250 ms either side (floor -100
// dBFS): above 3 is a click.
double test_click_ratio(const float *stereo, size_t frames);
double test_peak(const float *samples, size_t count);
