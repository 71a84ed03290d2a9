#include "ear/clicks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/ear_signals.h"
#include "ear/highpass.h"

enum { FRAMES = 4 * 48000, FOUND = 64 };

static float *clean, *dirty;

// What is played: from a still sine to white noise. The dark ones have next to nothing above 14 kHz.
static const char *const materials[] = {"silence", "sines", "swelling pad", "dark noise", "bright mix", "white noise"};
enum { SILENCE, SINES, PAD, DARK_NOISE, BRIGHT, WHITE, MATERIALS };

static void make(int material, float *stereo)
{
    memset(stereo, 0, 2 * FRAMES * sizeof *stereo);
    if (material == SINES || material == PAD)
        for (int n = 1; n <= 8; n++)
            signal_sine(stereo, FRAMES, 110.3 * n * n, .1 / n);
    if (material == PAD)
        signal_swell(stereo, FRAMES, .95, 1.3);
    if (material == DARK_NOISE)
        signal_noise(stereo, FRAMES, 300, 4, .5, 7);
    if (material == BRIGHT) {
        signal_sine(stereo, FRAMES, 220.5, .2);
        signal_noise(stereo, FRAMES, 6000, 1, .004, 8);
    }
    if (material == WHITE)
        signal_noise(stereo, FRAMES, 24000, 0, .1, 9);
}

static int claim(void **state)
{
    clean = malloc(2 * FRAMES * sizeof *clean);
    dirty = malloc(2 * FRAMES * sizeof *dirty);
    return clean && dirty ? 0 : -1;
}

static int release(void **state)
{
    free(clean);
    free(dirty);
    return 0;
}

static void plant_impulse(size_t frame, int channel, double db)
{
    dirty[2 * frame + (size_t)channel] += (float)pow(10, db / 20);
}

// A step that fades away within a second, as a cut in a waveform does.
static void plant_step(size_t frame, int channel, double db)
{
    double level = pow(10, db / 20);
    for (size_t i = frame; i < FRAMES; i++, level *= .9999)
        dirty[2 * i + (size_t)channel] += (float)level;
}

static void test_equal_material_differs_by_nothing(void **state)
{
    for (int material = 0; material < MATERIALS; material++) {
        make(material, clean);
        assert_true(clicks_difference(clean, clean, FRAMES) == 0);
    }
}

static void test_difference_finds_everything_down_to_60_db(void **state)
{
    for (int material = 0; material < MATERIALS; material++) {
        make(material, clean);
        for (int db = -6; db >= -60; db -= 6) {
            memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
            plant_impulse(FRAMES / 3 + (size_t)-db, db & 1, db);
            assert_true(clicks_difference(dirty, clean, FRAMES) >= CLICKS_DIFFERENCE_LIMIT);
            memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
            plant_step(FRAMES / 3 + (size_t)-db, db & 1, db);
            assert_true(clicks_difference(dirty, clean, FRAMES) >= CLICKS_DIFFERENCE_LIMIT);
        }
    }
}

static void test_difference_looks_at_every_frame_of_both_channels(void **state)
{
    memset(clean, 0, 200 * sizeof *clean);
    for (size_t frames = 3; frames <= 40; frames++) {
        for (size_t at = 0; at < 2 * frames; at++) {
            memset(dirty, 0, 200 * sizeof *dirty);
            dirty[2 * frames] = dirty[2 * frames + 1] = 1;
            dirty[at] = .001f;
            double found = clicks_difference(dirty, clean, frames);
            assert_true(found >= .000999 && found <= .002001);
            assert_true(clicks_difference(clean, dirty, frames) == found);
        }
    }
    assert_true(clicks_difference(dirty, clean, 2) == 0 && clicks_difference(dirty, clean, 0) == 0);
}

static void test_difference_lets_slow_things_pass(void **state)
{
    make(PAD, clean);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        dirty[i] = clean[i] + .2f * (float)i / (2 * FRAMES);
    assert_true(clicks_difference(dirty, clean, FRAMES) < CLICKS_DIFFERENCE_LIMIT);
    memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
    signal_sine(dirty, FRAMES, 100, .5);
    assert_true(clicks_difference(dirty, clean, FRAMES) < CLICKS_DIFFERENCE_LIMIT);
}

static void test_difference_with_what_is_no_number(void **state)
{
    const float odd[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        for (size_t at = 0; at < 200; at += 7) {
            memset(clean, 0, 200 * sizeof *clean);
            memset(dirty, 0, 200 * sizeof *dirty);
            dirty[at] = odd[i];
            assert_true(clicks_difference(dirty, clean, 100) == HUGE_VAL);
            assert_true(clicks_difference(clean, dirty, 100) == HUGE_VAL);
        }
    }
}

static void test_nothing_is_found_in_clean_material(void **state)
{
    for (int material = 0; material < MATERIALS; material++) {
        make(material, clean);
        long count = clicks_find(clean, FRAMES, NULL, 0, NULL, 0);
        if (count != 0)
            print_error("%ld in %s\n", count, materials[material]);
        assert_int_equal(count, 0);
    }
}

static void assert_found_alone(size_t frame)
{
    struct click found[FOUND];
    assert_int_equal(clicks_find(dirty, FRAMES, NULL, 0, found, FOUND), 1);
    assert_in_range(found[0].frame, frame - 48, frame + 48);
    assert_true(found[0].ratio > 3);
}

static void test_dark_material_hides_nothing_down_to_60_db(void **state)
{
    for (int material = SILENCE; material <= DARK_NOISE; material++) {
        make(material, clean);
        for (int db = -6; db >= -60; db -= 9) {
            size_t frame = FRAMES / 2 + 997 * (size_t)-db;
            memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
            plant_impulse(frame, db & 1, db);
            assert_found_alone(frame);
            memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
            plant_step(frame, db & 1, db);
            assert_found_alone(frame);
        }
    }
}

static void test_a_bright_mix_hides_nothing_down_to_20_db(void **state)
{
    make(BRIGHT, clean);
    for (int db = -6; db >= -20; db -= 7) {
        memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
        plant_impulse(FRAMES / 2, 0, db);
        assert_found_alone(FRAMES / 2);
        memcpy(dirty, clean, 2 * FRAMES * sizeof *dirty);
        plant_step(FRAMES / 2, 1, db);
        assert_found_alone(FRAMES / 2);
    }
}

static void test_a_bend_of_the_phase_is_a_click(void **state)
{
    make(SILENCE, dirty);
    for (size_t i = 0; i < FRAMES; i++) {
        double turn = 2 * M_PI * 220 * (double)i / 48000 + (i >= FRAMES / 2 ? .3 : 0);
        dirty[2 * i] = dirty[2 * i + 1] = (float)(.2 * sin(turn));
    }
    assert_found_alone(FRAMES / 2);
}

static void test_several_clicks_are_counted_one_by_one(void **state)
{
    enum { CLICKS = 6 };
    struct click found[FOUND], few[2] = {{0}};
    make(DARK_NOISE, dirty);
    for (size_t i = 0; i < CLICKS; i++)
        plant_impulse(20000 + i * 25000, 0, -30);
    assert_int_equal(clicks_find(dirty, FRAMES, NULL, 0, found, FOUND), CLICKS);
    for (size_t i = 0; i < CLICKS; i++)
        assert_int_equal(found[i].frame, 20000 + i * 25000);
    assert_int_equal(clicks_find(dirty, FRAMES, NULL, 0, few, 1), CLICKS);
    assert_int_equal(few[0].frame, 20000);
    assert_int_equal(few[1].frame, 0);
}

static void test_known_onsets_are_not_reported(void **state)
{
    const uint64_t onsets[] = {500, 96000, 190000};
    struct click found[FOUND];
    static const struct {
        size_t at;
        long count;
    } cases[] = {{96000 - 800, 1}, {96000 - 300, 0}, {96000, 0}, {96000 + 1000, 0}, {96000 + 1500, 1}, {50000, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(SINES, dirty);
        plant_impulse(cases[i].at, 0, -40);
        assert_int_equal(clicks_find(dirty, FRAMES, onsets, 3, found, FOUND), cases[i].count);
        assert_int_equal(clicks_find(dirty, FRAMES, onsets, 0, found, FOUND), 1);
    }
}

static void test_what_is_no_number_is_a_click(void **state)
{
    struct click found[FOUND];
    make(PAD, dirty);
    dirty[2 * 100000] = NAN;
    assert_int_equal(clicks_find(dirty, FRAMES, NULL, 0, found, FOUND), 1);
    assert_true(found[0].ratio == HUGE_VAL);
    assert_in_range(found[0].frame, 100000 - 200, 100000 + 200);
}

static void test_short_material(void **state)
{
    struct click found[FOUND];
    memset(dirty, 0, 2000 * sizeof *dirty);
    for (size_t frames = 0; frames < 1000; frames += 37)
        assert_int_equal(clicks_find(dirty, frames, NULL, 0, found, FOUND), 0);
    dirty[2 * 300] = .5f;
    assert_int_equal(clicks_find(dirty, 1000, NULL, 0, found, FOUND), 1);
    assert_int_equal(found[0].frame, 300);
}

// A loud impulse and a weak one so many milliseconds away, both in the middle of theirs: the weak one lowers the ratio
// of the loud one, and is hidden by it, from 10 to 250 ms.
static void test_surroundings_reach_from_10_to_250_ms(void **state)
{
    static const struct {
        int apart;
        long count;
        bool matters;
    } cases[] = {{9, 1, false}, {10, 1, true}, {130, 1, true}, {250, 1, true}, {251, 2, false}};
    struct click found[FOUND];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int side = -1; side <= 1; side += 2) {
            size_t loud = HIGHPASS_DELAY + 1000 * 48 + 24, weak = (size_t)((long)loud + side * cases[i].apart * 48);
            make(SILENCE, dirty);
            dirty[2 * loud] = .4f;
            dirty[2 * weak] = .1f;
            assert_int_equal(clicks_find(dirty, FRAMES, NULL, 0, found, FOUND), cases[i].count);
            struct click *first = &found[side < 0 ? cases[i].count - 1 : 0];
            assert_int_equal(first->frame, loud);
            assert_true(cases[i].matters ? first->ratio < 5 : first->ratio > 50);
        }
    }
}

// The same rule, written down in the plainest way.
static long count_plainly(const float *stereo, size_t frames)
{
    static float filtered[2 * FRAMES], bins[FRAMES / 48];
    struct highpass highpass;
    size_t count = (frames - HIGHPASS_TAPS + 1) / 48;
    long clicks = 0, last = -1000;
    highpass_init(&highpass);
    highpass_run(&highpass, stereo, filtered, count * 48);
    for (size_t i = 0; i < count; i++) {
        bins[i] = 0;
        for (size_t n = 0; n < 96; n++)
            bins[i] = fmaxf(bins[i], fabsf(filtered[96 * i + n]));
    }
    for (long i = 0; i < (long)count; i++) {
        float around = 1e-5f;
        for (long n = 0; n < (long)count; n++)
            if (labs(n - i) >= 10 && labs(n - i) <= 250)
                around = fmaxf(around, bins[n]);
        if ((double)bins[i] / around > 3) {
            clicks += i - last >= 10;
            last = i;
        }
    }
    return clicks;
}

static void test_fast_and_plain_counting_agree(void **state)
{
    long all = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        make(SILENCE, dirty);
        signal_noise(dirty, FRAMES, 24000, 0, .0002, seed);
        for (uint64_t i = 0; i < 12; i++)
            plant_impulse(random_below(seed, 2, i, FRAMES), (int)(i % 2), -20 - 40 * random_unit(seed, 3, i));
        size_t frames = FRAMES - random_below(seed, 4, 0, 100000);
        long plain = count_plainly(dirty, frames);
        assert_int_equal(clicks_find(dirty, frames, NULL, 0, NULL, 0), plain);
        all += plain;
    }
    assert_true(all > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_material_differs_by_nothing),
        cmocka_unit_test(test_difference_finds_everything_down_to_60_db),
        cmocka_unit_test(test_difference_looks_at_every_frame_of_both_channels),
        cmocka_unit_test(test_difference_lets_slow_things_pass),
        cmocka_unit_test(test_difference_with_what_is_no_number),
        cmocka_unit_test(test_nothing_is_found_in_clean_material),
        cmocka_unit_test(test_dark_material_hides_nothing_down_to_60_db),
        cmocka_unit_test(test_a_bright_mix_hides_nothing_down_to_20_db),
        cmocka_unit_test(test_a_bend_of_the_phase_is_a_click),
        cmocka_unit_test(test_several_clicks_are_counted_one_by_one),
        cmocka_unit_test(test_known_onsets_are_not_reported),
        cmocka_unit_test(test_what_is_no_number_is_a_click),
        cmocka_unit_test(test_short_material),
        cmocka_unit_test(test_surroundings_reach_from_10_to_250_ms),
        cmocka_unit_test(test_fast_and_plain_counting_agree),
    };
    return cmocka_run_group_tests(tests, claim, release);
}
