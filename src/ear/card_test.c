// One piece of music that keeps to every gate, and for each gate the same piece with a defect that it must catch.
#include "ear/card.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "ear/ear_signals.h"
#include "ear/gates.h"

enum { SECONDS = 40, FRAMES = SECONDS * FRAME_RATE };
#define SAMPLES ((size_t)FRAMES * CHANNELS)

static float *good, *sound;
static struct card card;

// A pad of chords that swell, wide above 120 Hz, with plucks at no regular times.
static void add_tone(double from_s, double seconds, double hz, double amplitude, double apart, double attack_s)
{
    size_t first = (size_t)(from_s * FRAME_RATE), count = (size_t)(seconds * FRAME_RATE);
    for (size_t i = 0; i < count && first + i < FRAMES; i++) {
        double s = (double)i / FRAME_RATE, turn = 2 * M_PI * hz * s;
        double gain = amplitude * fmin(1, s / attack_s) * fmin(1, (seconds - s) / (seconds * .6));
        good[2 * (first + i)] += (float)(gain * sin(turn));
        good[2 * (first + i) + 1] += (float)(gain * sin(turn + apart));
    }
}

static void compose(void)
{
    static const double chords[4][4] = {{55, 164.8, 246.9, 329.6}, {65.4, 196, 261.6, 392},
                                        {49, 146.8, 220, 293.7}, {73.4, 174.6, 220, 349.2}};
    for (int n = 0; n < 6; n++)
        for (int voice = 0; voice < 4; voice++)
            for (int partial = 1; partial < 5; partial++)
                add_tone(n * 7 - 3 * (n > 0), 13, chords[n * 5 % 4][voice] * partial,
                         (voice ? .09 : .14) / partial / partial, voice ? 1.2 : .1, 3);
    double at = 1;
    for (uint64_t i = 0; at < SECONDS; i++) {
        add_tone(at, 2.5, 440 * pow(2, random_below(3, 2, i, 12) / 12.), .1, .8, .02);
        at += .8 + 4 * random_unit(3, 1, i);
    }
}

static void scale_to(double lufs)
{
    struct card_meter *meter = card_meter_create();
    assert_non_null(meter);
    assert_int_equal(card_meter_add(meter, good, FRAMES), STATUS_OK);
    assert_int_equal(card_meter_read(meter, &card), STATUS_OK);
    card_meter_destroy(meter);
    float gain = (float)pow(10, (lufs - card.integrated) / 20);
    for (size_t i = 0; i < SAMPLES; i++)
        good[i] *= gain;
}

static int claim(void **state)
{
    good = calloc(SAMPLES, sizeof *good);
    sound = malloc(SAMPLES * sizeof *sound);
    if (!good || !sound)
        return -1;
    compose();
    scale_to(-18);
    return 0;
}

static int release(void **state)
{
    free(good);
    free(sound);
    return 0;
}

static void take_good(void)
{
    memcpy(sound, good, SAMPLES * sizeof *sound);
}

static void measure(size_t frames, size_t piece, bool against_good)
{
    struct card_meter *meter = card_meter_create();
    assert_non_null(meter);
    for (size_t at = 0; at < frames; at += piece) {
        const float *from = sound + at * CHANNELS, *meant = good + at * CHANNELS;
        size_t count = piece < frames - at ? piece : frames - at;
        assert_int_equal(against_good ? card_meter_add_pair(meter, from, meant, count)
                                      : card_meter_add(meter, from, count), STATUS_OK);
    }
    assert_int_equal(card_meter_read(meter, &card), STATUS_OK);
    card_meter_destroy(meter);
}

// To the first profile; what that one does not ask, to any.
static bool is_good(const char *gate)
{
    for (int p = 0; p < gate_profile_count; p++) {
        const struct gate *of_profile = gates_of_row(&gate_profiles[p], gate);
        bool kept = of_profile && gates_judge(of_profile, &card) == VERDICT_GOOD;
        if (kept || (of_profile && p == 0))
            return kept;
    }
    return false;
}

static void print_bad(void)
{
    for (int i = 0; i < gate_profiles[0].count; i++) {
        const struct gate *gate = &gate_profiles[0].gates[i];
        if (gates_judge(gate, &card) == VERDICT_BAD)
            print_message("%s: %g, allowed %g to %g\n", gate->name, card_value(&card, card_row_find(gate->name)),
                          gate->low, gate->high);
    }
}

static void good_music_keeps_to_every_gate(void **state)
{
    take_good();
    measure(FRAMES, FRAMES, true);
    print_bad();
    assert_int_equal(gates_count_bad(&gate_profiles[0], &card), 0);
    assert_true(card.reference_difference == 0);
    measure(FRAMES, FRAMES, false);
    assert_true(isnan(card.reference_difference));
    assert_int_equal(gates_count_bad(&gate_profiles[0], &card), 0);
}

static void gain(size_t from_s, size_t to_s, double db)
{
    float ratio = (float)pow(10, db / 20);
    for (size_t i = from_s * FRAME_RATE * CHANNELS; i < to_s * FRAME_RATE * CHANNELS; i++)
        sound[i] *= ratio;
}

static void too_loud(void)
{
    gain(0, SECONDS, 1.2);
}

static void too_quiet(void)
{
    gain(0, SECONDS, -1.2);
}

static void a_drop(void)
{
    gain(22, 32, -9);
}

static void no_dynamics(void)
{
    memset(sound, 0, SAMPLES * sizeof *sound);
    signal_noise(sound, FRAMES, 3000, 1, .2, 1);
}

static void much_dynamics(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        sound[i] *= (float)pow(10, -18. * (double)i / (SAMPLES) / 20);
}

// Between the samples: a burst at a quarter of the rate, 45 degrees off; its samples stay under the gate.
static void burst(double amplitude)
{
    for (size_t i = 0; i < 480; i++) {
        double window = .5 - .5 * cos(2 * M_PI * (double)i / 480);
        sound[2 * ((size_t)25 * FRAME_RATE + i)] += (float)(amplitude * window * sin(M_PI / 2 * (double)i + M_PI / 4));
    }
}

static void a_peak_between_samples(void)
{
    burst(.9);
}

static void squashed(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        sound[i] = .15f * tanhf(sound[i] * 15);
}

static void spiky(void)
{
    burst(1.5);
}

static void an_offset(void)
{
    for (size_t i = 0; i < FRAMES; i++)
        sound[2 * i + 1] += .0011f;
}

// A mean of all of it would be well below the gate.
static void a_short_offset(void)
{
    for (size_t i = (size_t)20 * FRAME_RATE; i < (size_t)23 * FRAME_RATE; i++)
        sound[2 * i] += .005f;
}

static void a_nan(void)
{
    sound[77777] = NAN;
}

static void a_denormal(void)
{
    sound[77777] = FLT_MIN / 2;
}

static void a_click(void)
{
    sound[(size_t)2 * 30 * FRAME_RATE] += .02f;
}

static void a_small_step(void)
{
    for (size_t i = (size_t)23 * FRAME_RATE; i < FRAMES; i++)
        sound[2 * i + 1] += .001f * expf(-(float)(i - (size_t)23 * FRAME_RATE) / 4800);
}

static void mono(void)
{
    for (size_t i = 0; i < FRAMES; i++)
        sound[2 * i + 1] = sound[2 * i];
}

static void one_side_is_turned_over(void)
{
    for (size_t i = 0; i < FRAMES; i++)
        sound[2 * i + 1] = -sound[2 * i + 1];
}

static void wide_bass(void)
{
    for (size_t i = 0; i < FRAMES; i++) {
        sound[2 * i] += (float)(.03 * sin(2 * M_PI * 70 * (double)i / FRAME_RATE));
        sound[2 * i + 1] += (float)(.03 * cos(2 * M_PI * 70 * (double)i / FRAME_RATE));
    }
}

static void every_second(void)
{
    for (size_t i = 0; i < FRAMES; i++) {
        double s = (double)(i % FRAME_RATE) / FRAME_RATE, level = fmin(1, s / .01) * exp(-12 * s);
        sound[2 * i] += (float)(.12 * level * sin(2 * M_PI * 700 * s));
        sound[2 * i + 1] += (float)(.12 * level * sin(2 * M_PI * 700 * s));
    }
}

// 48 dB an octave more.
static void too_bright(void)
{
    for (int n = 0; n < 8; n++)
        for (size_t i = SAMPLES - 1; i >= CHANNELS; i--)
            sound[i] = (sound[i] - sound[i - CHANNELS]) * 6;
}

// Clusters of semitones all the time.
static void clusters(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        for (int n = 0; n < 10; n++)
            sound[i] += (float)(.1 * sin(2 * M_PI * 300 * pow(2, n / 12.) * (double)(i / CHANNELS) / FRAME_RATE));
}

static const struct { const char *gate; void (*plant)(void); } defects[] = {
    {"integrated", too_loud}, {"integrated", too_quiet}, {"short_term_move", a_drop}, {"loudness_range", no_dynamics},
    {"loudness_range", much_dynamics}, {"true_peak", a_peak_between_samples}, {"crest", squashed}, {"crest", spiky},
    {"dc", an_offset}, {"dc", a_short_offset}, {"nonfinite", a_nan}, {"denormals", a_denormal}, {"clicks", a_click},
    {"clicks", a_nan},
    {"reference_difference", a_small_step}, {"correlation", mono}, {"correlation", one_side_is_turned_over},
    {"bass_correlation", wide_bass}, {"fold_down_loss", one_side_is_turned_over}, {"grid", every_second}, {"slope", too_bright},
    {"centroid", too_bright}, {"roughness", clusters},
};
enum { DEFECTS = sizeof defects / sizeof *defects };

static void every_gate_catches_its_defect(void **state)
{
    for (int i = 0; i < DEFECTS; i++) {
        take_good();
        defects[i].plant();
        measure(FRAMES, FRAMES, true);
        bool caught = !is_good(defects[i].gate);
        if (!caught)
            print_error("defect %d passes %s: %g\n", i, defects[i].gate,
                        card_value(&card, card_row_find(defects[i].gate)));
        assert_true(caught);
    }
}

static void every_gate_has_a_defect(void **state)
{
    for (int p = 0; p < gate_profile_count; p++)
        for (int n = 0; n < gate_profiles[p].count; n++) {
            bool planted = false;
            for (int i = 0; i < DEFECTS; i++)
                planted |= strcmp(defects[i].gate, gate_profiles[p].gates[n].name) == 0;
            assert_true(planted);
        }
}

static void gates_go_by_rows_of_the_card(void **state)
{
    for (int p = 0; p < gate_profile_count; p++) {
        assert_ptr_equal(gates_find(gate_profiles[p].name), &gate_profiles[p]);
        for (int i = 0; i < gate_profiles[p].count; i++) {
            const struct gate *gate = &gate_profiles[p].gates[i];
            const struct card_row *row = card_row_find(gate->name);
            assert_non_null(row);
            assert_string_equal(row->unit, gate->unit);
            assert_true(gate->low <= gate->high);
            assert_ptr_equal(gates_of_row(&gate_profiles[p], gate->name), gate);
        }
    }
    assert_null(gates_find("loud"));
    assert_null(gates_of_row(&gate_profiles[0], "duration"));
    assert_null(card_row_find("loudness"));
}

static void profiles_differ_in_loudness_and_peak(void **state)
{
    take_good();
    gain(0, SECONDS, -5);
    measure(FRAMES, FRAMES, false);
    assert_false(is_good("integrated"));
    assert_int_equal(gates_count_bad(gates_find("soft"), &card), 0);
    card.true_peak = -1.5;
    assert_int_equal(gates_count_bad(gates_find("soft"), &card), 1);
    assert_int_equal(gates_count_bad(gates_find("soft-decoded"), &card), 0);
    assert_int_equal(gates_count_bad(gates_find("decoded"), &card), 1);
    card.true_peak = -0.9;
    assert_int_equal(gates_count_bad(gates_find("soft-decoded"), &card), 1);
    assert_int_equal(gates_count_bad(gates_find("decoded"), &card), 2);
}

static void how_it_is_cut_makes_no_difference(void **state)
{
    static struct card whole;
    const size_t frames = (size_t)10 * FRAME_RATE + 123;
    take_good();
    a_small_step();
    measure(frames, frames, true);
    whole = card;
    measure(frames, 1000, true);
    assert_memory_equal(&whole, &card, sizeof card);
    measure(frames, 7777, true);
    assert_memory_equal(&whole, &card, sizeof card);
}

static void silence_and_nothing_are_not_good(void **state)
{
    memset(sound, 0, SAMPLES * sizeof *sound);
    measure(FRAMES, FRAMES, false);
    assert_false(is_good("integrated") || is_good("correlation") || is_good("crest"));
    assert_true(card.clicks == 0 && card.onset_rate == 0);
    measure(0, 1, false);
    assert_true(card.duration == 0);
    assert_false(is_good("integrated") || is_good("short_term_move") || is_good("grid"));
}

static void a_piece_is_nearer_to_itself(void **state)
{
    static struct card first, second;
    take_good();
    measure(FRAMES / 2, FRAMES, false);
    first = card;
    memmove(sound, sound + FRAMES, (size_t)FRAMES * sizeof *sound);
    measure(FRAMES / 2, FRAMES, false);
    second = card;
    no_dynamics();
    measure(FRAMES / 2, FRAMES, false);
    struct card_distance none = card_compare(&first, &first), near = card_compare(&first, &second),
                         far = card_compare(&first, &card);
    assert_true(none.all < 1e-6);
    assert_true(near.all > 0 && near.all < far.all / 2);
    assert_true(near.timbre_db < far.timbre_db / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_music_keeps_to_every_gate), cmocka_unit_test(every_gate_catches_its_defect),
        cmocka_unit_test(every_gate_has_a_defect), cmocka_unit_test(gates_go_by_rows_of_the_card),
        cmocka_unit_test(profiles_differ_in_loudness_and_peak), cmocka_unit_test(how_it_is_cut_makes_no_difference),
        cmocka_unit_test(silence_and_nothing_are_not_good), cmocka_unit_test(a_piece_is_nearer_to_itself),
    };
    return cmocka_run_group_tests(tests, claim, release);
}
