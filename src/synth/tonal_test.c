// Instruments that ring, sing and hum: in tune, dying away as they say, as loud as the bell, and nothing folded back.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNTH_WIDTH 1
#include "synth/instruments/render.h"
#include "synth/test_loudness.h"
#include "synth/test_note.h"
#include "synth/test_score.h"
#include "synth/test_spectrum.h"

static const struct mix middle = TEST_MIX_MIDDLE;

static double hz_of(double pitch)
{
    return 440 * exp2((pitch - 69) / 12);
}

// Plays a note for so many seconds; free() it. *frames: whole blocks.
static float *play(enum instrument instrument, const struct note *note, double seconds, size_t *frames)
{
    *frames = frames_round_up((uint64_t)(seconds * FRAME_RATE), CONTROL_FRAMES);
    float *out = malloc(*frames * CHANNELS * sizeof *out);
    if (!out)
        abort();
    test_note_play(instrument, note, &middle, out, *frames);
    return out;
}

// Mean frequency about hz of both sides, over `windows` spectra from from_s on.
static double measured_hz(const float *stereo, double hz, double from_s, int windows)
{
    static struct test_spectrum spectrum;
    double power = 0, sum = 0;
    for (int n = 0; n < windows * CHANNELS; n++) {
        const float *from = stereo + (size_t)(from_s * FRAME_RATE + n / CHANNELS * SPECTRUM_SIZE) * CHANNELS;
        test_spectrum_take(&spectrum, from + n % CHANNELS, CHANNELS);
        double here = test_spectrum_power(&spectrum, hz, 4 + hz * 0.006);
        power += here;
        sum += here * test_spectrum_hz(&spectrum, hz, 4 + hz * 0.006);
    }
    return sum / power;
}

// Cents that the fundamental is off, the mean of a few notes: each drifts by a chance of its own.
static double cents_off(enum instrument instrument, float pitch, float attack_s, double from_s, int notes, int windows)
{
    double hz = hz_of(pitch), sum = 0;
    for (int n = 0; n < notes; n++) {
        size_t frames;
        struct note note = test_note(pitch, 100);
        note.id = (uint64_t)n + 5;
        note.attack_s = attack_s;
        float *out = play(instrument, &note, from_s + windows * 1.4, &frames);
        sum += measured_hz(out, hz, from_s, windows) / notes;
        free(out);
    }
    assert_true(sum > 0);
    return 1200 * log2(sum / hz);
}

static void notes_are_in_tune(void **unused)
{
    (void)unused;
    static const struct {
        enum instrument instrument;
        float attack_s;
        int notes, windows;
        float lowest, highest;
    } rows[] = {{INSTRUMENT_BAR, 0.008f, 3, 1, 48, 88},  {INSTRUMENT_BOWL, 0.008f, 3, 5, 48, 84},
                {INSTRUMENT_CHOIR, 0.5f, 12, 4, 52, 76}, {INSTRUMENT_DRONE, 0.5f, 1, 1, 28, 50}};
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        double worst = 0;
        for (float pitch = rows[n].lowest; pitch <= rows[n].highest; pitch += rows[n].notes > 9 ? 8 : 3.7f)
            worst = fmax(worst, fabs(cents_off(rows[n].instrument, pitch, rows[n].attack_s, 0.5, rows[n].notes,
                                               rows[n].windows)));
        print_message("# %s: %.2f cents off at most\n", instrument_name(rows[n].instrument), worst);
        assert_true(worst < 2);
    }
}

static void strings_are_in_tune(void **unused)
{
    (void)unused;
    double worst = 0;
    for (float pitch = 27.487f; pitch < 95.4f; pitch += 1.73f)
        worst = fmax(worst, fabs(cents_off(INSTRUMENT_PLUCK, pitch, 0.008f, 0.1, 1, 1)));
    print_message("# pluck: %.5f cents off at most from 40 Hz to 2 kHz\n", worst);
    assert_true(worst < 1);
}

// One mode against the formula in double precision, while it loses 60 dB in 25 s.
static void modes_follow_the_formula(void **unused)
{
    (void)unused;
    enum { BLOCKS = 25 * FRAME_RATE / CONTROL_FRAMES };
    static struct modal modal;
    static const struct lanes lanes = {.stage = {LANE_HOLDS}, .now.pitch = {60}};
    double worst = 0, worst_db = 0;
    memset(&modal, 0, sizeof modal);
    modal_tune(&modal.note[0], 0, 0, 261.6f, 25, 1);
    modal.gain_left[0] = 1;
    for (int block = 0; block < BLOCKS; block++) {
        struct lane_bus bus;
        struct stereo_block out;
        double square = 0, exact = 0;
        memset(&bus, 0, sizeof bus);
        modal_play(&modal, &lanes, 0, 1, 0, &bus);
        lane_bus_sum(&bus, &out);
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            double at = (double)block * CONTROL_FRAMES + i, envelope = pow(10, -3 * at / FRAME_RATE / 25);
            double want = envelope * sin(2 * M_PI * fmod(at * modal.note[0].increment[0][0] * 0x1p-32, 1));
            worst = fmax(worst, fabs(out.left[i] - want) / envelope);
            square += out.left[i] * (double)out.left[i];
            exact += want * want;
        }
        if (exact > 1e-9)
            worst_db = fmax(worst_db, fabs(10 * log10(square / exact)));
    }
    print_message("# a mode of 25 s: %.4f dB off, error %.1f dB under it\n", worst_db, -20 * log10(worst));
    assert_true(worst_db < 0.1 && worst < 1e-4);
}

// Seconds for 60 dB, from the power about hz in `windows` spectra from from_s on and as many a while later.
static double measured_decay_s(enum instrument instrument, float pitch, double from_s, double apart_s, int windows)
{
    static struct test_spectrum spectrum;
    const double window_s = (double)SPECTRUM_SIZE / FRAME_RATE;
    size_t frames;
    struct note note = test_note(pitch, 100);
    float *out = play(instrument, &note, from_s + apart_s + window_s * windows + 0.1, &frames);
    double power[2] = {0};
    for (int late = 0; late < 2; late++)
        for (int n = 0; n < windows; n++) {
            size_t from = (size_t)((from_s + late * apart_s + n * window_s) * FRAME_RATE);
            for (int side = 0; side < CHANNELS; side++) {
                test_spectrum_take(&spectrum, out + from * CHANNELS + side, CHANNELS);
                power[late] += test_spectrum_power(&spectrum, hz_of(pitch), 5);
            }
        }
    free(out);
    return 6 * apart_s / log10(power[0] / power[1]);
}

static void expect_decay(enum instrument instrument, float pitch, double want_s, double apart_s, int windows)
{
    double got_s = measured_decay_s(instrument, pitch, 0.1, apart_s, windows);
    print_message("# %s at %.0f: 60 dB in %.2f s, told %.2f s\n", instrument_name(instrument), pitch, got_s, want_s);
    assert_true(fabs(got_s / want_s - 1) < 0.1);
}

static void notes_decay_as_told(void **unused)
{
    (void)unused;
    for (float pitch = 48; pitch <= 84; pitch += 12) {
        expect_decay(INSTRUMENT_BOWL, pitch, bowl_decay_s(pitch), 13, 5);
        expect_decay(INSTRUMENT_BAR, pitch, bar_decay_s(pitch), 0.5 * bar_decay_s(pitch), 1);
        expect_decay(INSTRUMENT_PLUCK, pitch, pluck_decay_s(pitch), 0.5 * pluck_decay_s(pitch), 1);
    }
    expect_decay(INSTRUMENT_PLUCK, 28, 8, 4, 1);
}

// Of a dozen notes, which are each louder or softer by a chance of their own.
static double loudness_lufs(enum instrument instrument, struct instrument_levels levels, float pitch, float attack_s)
{
    enum { NOTES = 12 };
    double power = 0;
    for (uint64_t id = 1; id <= NOTES; id++) {
        size_t frames;
        struct note note = test_note(pitch, 100);
        note.id = id;
        note.attack_s = attack_s;
        float *out = play(instrument, &note, 4 + attack_s, &frames);
        power += pow(10, test_loudness(out, frames).integrated_lufs / 10) / NOTES;
        free(out);
    }
    return 10 * log10(power) + 20 * log10(levels.dry);
}

static void notes_are_as_loud_as_a_bell(void **unused)
{
    (void)unused;
    static const struct {
        enum instrument instrument;
        const struct instrument_levels *levels;
        float pitch, attack_s;
    } rows[] = {{INSTRUMENT_BAR, &bar_levels, 60, 0.008f},    {INSTRUMENT_BOWL, &bowl_levels, 60, 0.008f},
                {INSTRUMENT_CHOIR, &choir_levels, 60, 0.5f},  {INSTRUMENT_DRONE, &drone_levels, 36, 0.5f},
                {INSTRUMENT_PLUCK, &pluck_levels, 60, 0.008f}};
    double bell = loudness_lufs(INSTRUMENT_BELL, bell_levels, 60, 0.008f);
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        double lufs = loudness_lufs(rows[n].instrument, *rows[n].levels, rows[n].pitch, rows[n].attack_s);
        print_message("# %s: %+.1f LU against the bell\n", instrument_name(rows[n].instrument), lufs - bell);
        assert_true(fabs(lufs - bell) < 2);
    }
}

static double correlation(const float *stereo, size_t frames)
{
    double both = 0, left = 0, right = 0;
    for (size_t i = 0; i < frames; i++) {
        both += (double)stereo[CHANNELS * i] * stereo[CHANNELS * i + 1];
        left += (double)stereo[CHANNELS * i] * stereo[CHANNELS * i];
        right += (double)stereo[CHANNELS * i + 1] * stereo[CHANNELS * i + 1];
    }
    return both / sqrt(left * right);
}

// Least correlation of left and right of some notes.
static double least_correlation(enum instrument instrument, float pitch)
{
    double least = 1;
    for (uint64_t id = 1; id <= 6; id++) {
        size_t frames;
        struct note note = test_note(pitch, 100);
        note.id = id;
        float *out = play(instrument, &note, 5, &frames);
        least = fmin(least, correlation(out, frames));
        free(out);
    }
    return least;
}

static void notes_fold_down_to_mono(void **unused)
{
    (void)unused;
    static const enum instrument all[] = {INSTRUMENT_BAR, INSTRUMENT_BOWL, INSTRUMENT_CHOIR, INSTRUMENT_DRONE,
                                          INSTRUMENT_PLUCK};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
        double low = least_correlation(all[n], 40), high = least_correlation(all[n], 72);
        print_message("# %s: correlation %.3f at E2, %.3f at C5\n", instrument_name(all[n]), low, high);
        assert_true(low > 0.9 && high > 0.1);
    }
}

// Pitches, dynamics and attacks at the ends of what a note may be.
static void extremes_are_tame(void **unused)
{
    (void)unused;
    for (int n = 0; n < 5 * 16; n++) {
        size_t frames;
        struct note note = test_note(n & 1 ? 127 : 0, 1);
        note.velocity = n & 2 ? 1 : 1e-6f;
        note.brightness = n & 4 ? 1 : 0;
        note.attack_s = n & 8 ? 60 : 0.008f;
        float *out = play((enum instrument)(INSTRUMENT_BAR + n / 16), &note, 2, &frames);
        for (size_t i = 0; i < frames * CHANNELS; i++)
            assert_true(isfinite(out[i]) && fabsf(out[i]) < 4);
        free(out);
    }
}

// Both voices on one pitch, nothing moving. naive: with saws that are not rounded.
static struct off_harmonics choir_at(float pitch, bool naive)
{
    static float x[SPECTRUM_SIZE];
    static struct choir choir;
    static struct test_spectrum spectrum;
    struct choir_control k;
    const struct lane_block b = {.started = 1, .loudness = {1}};
    memset(&choir, 0, sizeof choir);
    choir.lanes.now = (struct lane_notes){.pitch = {pitch}, .brightness = {1}};
    choir_pitch(&choir, 0, &b, 0, &k);
    k.a.increment = k.b.increment = phase_increment(pitch_hz(pitch));
    if (naive)
        k.shape.frames_per_unit = 1e9f;
    choir_formants(&choir, 0, &b, &middle, &k);
    for (int f = 0; f < CHOIR_FORMANTS; f++) {
        struct sides_control *s = &k.formant[f];
        s->left = s->left_step * CONTROL_FRAMES;
        s->left_step = s->right_step = 0;
    }
    // The first second passes until the formants have settled.
    for (int at = -FRAME_RATE; at < SPECTRUM_SIZE; at += CONTROL_FRAMES) {
        struct lane_bus bus;
        struct stereo_block out;
        memset(&bus, 0, sizeof bus);
        choir_frames(0, &k, &bus);
        k.a.phase += CONTROL_FRAMES * k.a.increment;
        k.b.phase += CONTROL_FRAMES * k.b.increment;
        lane_bus_sum(&bus, &out);
        if (at >= 0)
            memcpy(x + at, out.left, sizeof out.left);
    }
    test_spectrum_take(&spectrum, x, 1);
    return test_spectrum_off_harmonics(&spectrum, k.a.increment * (double)FRAME_RATE / 0x1p32, SPECTRUM_LOBE_BINS);
}

static struct off_harmonics bare_choir(float pitch)
{
    return choir_at(pitch, false);
}

// Octave and fifth in tune with the root, nothing moving.
static struct off_harmonics bare_drone(float pitch)
{
    static float x[SPECTRUM_SIZE];
    static struct drone drone;
    static struct test_spectrum spectrum;
    const struct lane_block b = {.started = 1, .loudness = {1}};
    memset(&drone, 0, sizeof drone);
    drone.lanes.now = (struct lane_notes){.pitch = {pitch}, .brightness = {1}};
    struct drone_control c = drone_control(&drone, 0, &b, &middle);
    c.increment[DRONE_OCTAVE_A] = c.increment[DRONE_OCTAVE_B] = c.increment[DRONE_ROOT] * 2;
    c.increment[DRONE_FIFTH_A] = c.increment[DRONE_FIFTH_B] = c.increment[DRONE_ROOT] * 3;
    c.sides.left = drone.sides.gain_left[0] = 1;
    drone_begin(&drone, 0, &c);
    for (int at = -FRAME_RATE; at < SPECTRUM_SIZE; at += CONTROL_FRAMES) {
        struct stereo_block out;
        drone_sound(&drone, 0, &c, &out);
        for (int i = 0; i < DRONE_TONES; i++)
            c.phase[i] += CONTROL_FRAMES * c.increment[i];
        if (at >= 0)
            memcpy(x + at, out.left, sizeof out.left);
    }
    test_spectrum_take(&spectrum, x, 1);
    return test_spectrum_off_harmonics(&spectrum, c.increment[DRONE_ROOT] * (double)FRAME_RATE / 0x1p32,
                                       SPECTRUM_LOBE_BINS);
}

static void expect_nothing_folded(const char *name, struct off_harmonics (*bare)(float), float lowest, float highest)
{
    struct off_harmonics worst = {-200, -200};
    for (float pitch = lowest; pitch <= highest; pitch += 1.37f) {
        struct off_harmonics here = bare(pitch);
        worst.low_db = fmax(worst.low_db, here.low_db);
        worst.high_db = fmax(worst.high_db, here.high_db);
    }
    print_message("# %s: %.1f dB under 2 kHz, %.1f dB above\n", name, worst.low_db, worst.high_db);
    assert_true(worst.low_db < -60 && worst.high_db < -40);
}

static void nothing_audible_is_folded(void **unused)
{
    (void)unused;
    expect_nothing_folded("choir", bare_choir, 40, 88);
    expect_nothing_folded("drone", bare_drone, 28, 50);
}

// The planted defects: saws that are not rounded, and a drone where no drone belongs.
static void what_is_folded_is_heard(void **unused)
{
    (void)unused;
    struct off_harmonics choir = choir_at(81.3f, true), drone = bare_drone(111.3f);
    print_message("# naive choir: %.1f dB under 2 kHz; drone far too high: %.1f dB above\n", choir.low_db,
                  drone.high_db);
    assert_true(choir.low_db > -60 && drone.high_db > -40);
}

// Hertz of the wave whose beginning is the first upward crossing of zero from `from` on.
static double wave_hz(const float *stereo, int from)
{
    double crossing[2] = {0, 0};
    for (int n = 0, i = from; n < 2; i++) {
        double one = stereo[CHANNELS * i], next = stereo[CHANNELS * (i + 1)];
        if (one <= 0 && next > 0)
            crossing[n++] = i + one / (one - next);
    }
    return FRAME_RATE / (crossing[1] - crossing[0]);
}

static void kicks_fall_from_150_to_40_hz(void **unused)
{
    (void)unused;
    static float stereo[FRAME_RATE * CHANNELS];
    struct note note = test_note(36, .4);
    test_note_play(INSTRUMENT_KICK, &note, &middle, stereo, FRAME_RATE / 2 / CONTROL_FRAMES * CONTROL_FRAMES);
    double first = wave_hz(stereo, 0), last = wave_hz(stereo, FRAME_RATE / 4);
    print_message("# kick: %.1f Hz at first, %.1f Hz after .25 s\n", first, last);
    assert_true(first > 125 && first < 150);
    assert_true(last > 39 && last < 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_are_in_tune),           cmocka_unit_test(strings_are_in_tune),
        cmocka_unit_test(modes_follow_the_formula),    cmocka_unit_test(notes_decay_as_told),
        cmocka_unit_test(notes_are_as_loud_as_a_bell), cmocka_unit_test(notes_fold_down_to_mono),
        cmocka_unit_test(extremes_are_tame),           cmocka_unit_test(nothing_audible_is_folded),
        cmocka_unit_test(what_is_folded_is_heard),     cmocka_unit_test(kicks_fall_from_150_to_40_hz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
