// The score, renders and measures that the tests of this folder share.
#include "synth/test_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "base/random.h"

static uint64_t frame_of(double seconds)
{
    return (uint64_t)(seconds * FRAME_RATE / CONTROL_FRAMES) * CONTROL_FRAMES;
}

void test_score_mix(struct test_score *score, double at_s, struct mix mix)
{
    score->events[score->count++] = (struct event){.at_frame = frame_of(at_s), .kind = EVENT_MIX, .mix = mix};
}

// How the tests play an instrument.
static const struct {
    enum layer layer;
    float attack_s, release_s, velocity;
} playing[INSTRUMENT_COUNT] = {
    [INSTRUMENT_PAD] = {LAYER_PAD, 2.5f, 4.0f, 0.6f},
    [INSTRUMENT_BELL] = {LAYER_LEAD, 0.012f, 2.0f, 0.5f},
    [INSTRUMENT_KICK] = {LAYER_KICK, 0.008f, 0.5f, 0.6f},
    [INSTRUMENT_SWELL] = {LAYER_SWELL, 3.0f, 3.0f, 0.5f},
    [INSTRUMENT_BAR] = {LAYER_LEAD, 0.012f, 2.0f, 0.5f},
    [INSTRUMENT_BOWL] = {LAYER_LEAD, 0.012f, 4.0f, 0.5f},
    [INSTRUMENT_CHOIR] = {LAYER_PAD, 1.5f, 3.0f, 0.5f},
    [INSTRUMENT_DRONE] = {LAYER_PAD, 4.0f, 5.0f, 0.5f},
    [INSTRUMENT_PLUCK] = {LAYER_LEAD, 0.012f, 2.0f, 0.5f},
    [INSTRUMENT_MODULAR] = {LAYER_LEAD, 0.02f, 3.0f, 0.5f},
    [INSTRUMENT_RAIN] = {LAYER_TEXTURE, 2.0f, 3.0f, 0.5f},
    [INSTRUMENT_WIND] = {LAYER_TEXTURE, 2.0f, 3.0f, 0.5f},
    [INSTRUMENT_SEA] = {LAYER_TEXTURE, 2.0f, 3.0f, 0.5f},
    [INSTRUMENT_VINYL] = {LAYER_TEXTURE, 2.0f, 3.0f, 0.5f},
    [INSTRUMENT_GRAIN] = {LAYER_TEXTURE, 2.0f, 3.0f, 0.5f},
};

void test_score_note(struct test_score *score, double at_s, enum instrument instrument, int lane, float pitch,
                     double hold_s)
{
    uint64_t id = (uint64_t)score->count + 1;
    struct note note = {
        .id = id, .layer = (uint8_t)playing[instrument].layer, .instrument = (uint8_t)instrument,
        .lane = (uint8_t)lane, .pitch = pitch, .velocity = playing[instrument].velocity,
        .pan = (float)random_unit(1, instrument, id) * 1.4f - 0.7f, .brightness = 0.5f,
        .attack_s = playing[instrument].attack_s, .release_s = playing[instrument].release_s,
        .hold_frames = (uint32_t)(hold_s * FRAME_RATE),
    };
    score->events[score->count++] = (struct event){.at_frame = frame_of(at_s), .kind = EVENT_NOTE_ON, .note = note};
}

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->at_frame != y->at_frame)
        return x->at_frame < y->at_frame ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

void test_score_sort(struct test_score *score)
{
    qsort(score->events, (size_t)score->count, sizeof *score->events, compare_events);
}

static void fill_pads(struct test_score *score, double seconds)
{
    static const float chords[4][5] = {{45, 57, 60, 64, 71}, {41, 53, 60, 64, 69}, {43, 55, 59, 62, 69},
                                       {40, 52, 59, 64, 67}};
    int chord = 0;
    for (double at = 0; at < seconds; at += 12, chord++)
        for (int voice = 0; voice < 5; voice++)
            test_score_note(score, at, INSTRUMENT_PAD, (chord * 5 + voice) % 32, chords[chord % 4][voice], 12);
}

// What rings, sings and hums: a phrase of each in turn, low notes and high ones, lanes taken while they still sound.
static void fill_tonal(struct test_score *score, double seconds)
{
    static const enum instrument turn[] = {INSTRUMENT_BOWL, INSTRUMENT_PLUCK, INSTRUMENT_BAR, INSTRUMENT_CHOIR,
                                           INSTRUMENT_MODULAR};
    static const float pitches[] = {50, 57, 62, 65, 69, 74, 81, 88, 43};
    int count = 0;
    for (double at = 0.5; at < seconds; at += 0.7, count++)
        test_score_note(score, at, turn[count % 5], count / 5 % 2, pitches[count % 9], 3);
    for (double at = 0.2; at < seconds; at += 9, count++)
        test_score_note(score, at, INSTRUMENT_DRONE, count % 16, count % 2 ? 33 : 40, 8);
}

// Beds that come in while others go.
static void fill_textures(struct test_score *score, double seconds)
{
    static const enum instrument turn[] = {INSTRUMENT_RAIN, INSTRUMENT_WIND, INSTRUMENT_SEA, INSTRUMENT_VINYL,
                                           INSTRUMENT_GRAIN};
    int count = 0;
    for (double at = 0.1; at < seconds; at += 1.5, count++)
        test_score_note(score, at, turn[count % 5], count / 5 % 2, 54 + count * 7 % 18, 4);
}

static void fill_lead(struct test_score *score, double seconds)
{
    static const float scale[] = {69, 72, 74, 76, 79, 81, 84};
    int count = 0;
    for (double at = 1.3; at < seconds; at += 2.5 + 4 * random_unit(2, 0, (uint64_t)count), count++)
        test_score_note(score, at, INSTRUMENT_BELL, count % 16, scale[random_below(3, 0, (uint64_t)count, 7)], 1.5);
}

void test_score_fill(struct test_score *score, double seconds, int layers)
{
    if (layers & TEST_PADS)
        fill_pads(score, seconds);
    if (layers & TEST_LEAD)
        fill_lead(score, seconds);
    if (layers & TEST_KICKS)
        for (double at = 6; at < seconds; at += 10)
            test_score_note(score, at, INSTRUMENT_KICK, score->count % 16, 36, 0.8);
    if (layers & TEST_SWELLS)
        for (double at = 4; at < seconds; at += 20)
            test_score_note(score, at, INSTRUMENT_SWELL, score->count % 16, 60, 3);
    if (layers & TEST_TONAL)
        fill_tonal(score, seconds);
    if (layers & TEST_TEXTURES)
        fill_textures(score, seconds);
    test_score_sort(score);
}

void *test_state(uint64_t frame)
{
    void *state = aligned_alloc(64, synth_bytes());
    if (!state)
        abort();
    synth_start(state, frame);
    return state;
}

int test_events(const struct test_score *score, uint64_t from, uint64_t to, const struct event **first)
{
    int begin = 0, end;
    while (begin < score->count && score->events[begin].at_frame < from)
        begin++;
    for (end = begin; end < score->count && score->events[end].at_frame < to;)
        end++;
    *first = score->events + begin;
    return end - begin;
}

float *test_render(const struct backend *backend, const struct test_score *score, double seconds, int blocks)
{
    int total = (int)(frame_of(seconds) / CONTROL_FRAMES) + SYNTH_LOOKAHEAD / CONTROL_FRAMES;
    float *all = malloc(((size_t)total + (size_t)blocks) * CONTROL_FRAMES * CHANNELS * sizeof *all);
    void *state = test_state(0);
    if (!all)
        abort();
    for (int done = 0; done < total; done += blocks) {
        const struct event *first;
        uint64_t from = synth_input_frame(state);
        int count = test_events(score, from, from + (uint64_t)blocks * CONTROL_FRAMES, &first);
        synth_render(backend, state, first, count, all + (size_t)done * CONTROL_FRAMES * CHANNELS, blocks);
    }
    free(state);
    size_t lead = (size_t)SYNTH_LOOKAHEAD * CHANNELS;
    memmove(all, all + lead, ((size_t)total * CONTROL_FRAMES * CHANNELS - lead) * sizeof *all);
    return all;
}

enum { TAPS = 127, MS_FRAMES = FRAME_RATE / 1000 };

// High-pass at 14 kHz, Blackman window.
static void design_highpass(double taps[TAPS])
{
    const double corner = 14000.0 / FRAME_RATE, middle = (TAPS - 1) / 2.0;
    for (int n = 0; n < TAPS; n++) {
        double x = n - middle, turn = 2 * M_PI * n / (TAPS - 1);
        double window = 0.42 - 0.5 * cos(turn) + 0.08 * cos(2 * turn);
        double low = x == 0 ? 2 * corner : sin(2 * M_PI * corner * x) / (M_PI * x);
        taps[n] = ((x == 0) - low) * window;
    }
}

static double highest_in_ms(const float *stereo, size_t first, const double taps[TAPS])
{
    double most = 0;
    for (size_t i = first; i < first + MS_FRAMES; i++)
        for (int channel = 0; channel < CHANNELS; channel++) {
            double sum = 0;
            for (size_t n = 0; n < TAPS; n++)
                sum += taps[n] * stereo[(i + n) * CHANNELS + (size_t)channel];
            most = fabs(sum) > most ? fabs(sum) : most;
        }
    return most;
}

double test_click_ratio(const float *stereo, size_t frames)
{
    double taps[TAPS], worst = 0;
    design_highpass(taps);
    long count = (long)((frames - TAPS) / MS_FRAMES);
    double *peaks = malloc((size_t)count * sizeof *peaks);
    if (!peaks)
        abort();
    for (long n = 0; n < count; n++)
        peaks[n] = highest_in_ms(stereo, (size_t)n * MS_FRAMES, taps);
    for (long n = 0; n < count; n++) {
        double around = 1e-5;
        for (long k = -250; k <= 250; k++)
            if (labs(k) >= 10 && n + k >= 0 && n + k < count && peaks[n + k] > around)
                around = peaks[n + k];
        worst = peaks[n] / around > worst ? peaks[n] / around : worst;
    }
    free(peaks);
    return worst;
}

double test_peak(const float *samples, size_t count)
{
    double most = 0;
    for (size_t n = 0; n < count; n++)
        most = fabs(samples[n]) > most ? fabs(samples[n]) : most;
    return most;
}
