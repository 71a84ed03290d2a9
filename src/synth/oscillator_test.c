// Aliasing: what bare oscillators put where no harmonic is, over the range of all notes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNTH_WIDTH 1
#include "synth/instruments/bell.h"
#include "synth/test_spectrum.h"

enum { SIZE = SPECTRUM_SIZE };

static struct off_harmonics measure(const float *x, double f0_hz, int skirt_bins)
{
    static struct test_spectrum spectrum;
    test_spectrum_take(&spectrum, x, 1);
    return test_spectrum_off_harmonics(&spectrum, f0_hz, skirt_bins);
}

static double increment_hz(uint32_t increment)
{
    return increment * (double)FRAME_RATE / 0x1p32;
}

static void keep_worst(struct off_harmonics *worst, struct off_harmonics here)
{
    worst->low_db = here.low_db > worst->low_db ? here.low_db : worst->low_db;
    worst->high_db = here.high_db > worst->high_db ? here.high_db : worst->high_db;
}

static void angles_become_phases(void **unused)
{
    (void)unused;
    static const struct {
        float radians;
        uint32_t phase;
    } rows[] = {{0, 0}, {1.57079633f, 0x40000000}, {-1.57079633f, 0xc0000000}, {3.14159274f, 0x80000000},
                {-3.14159274f, 0x80000000}, {0.1f, 68356528}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(abs((int32_t)(phase_of_radians(rows[i].radians) - rows[i].phase)) < 400);
}

// The saw, or with `naive` what it would be without its rounding: the planted defect.
static struct off_harmonics worst_saw(int naive)
{
    static float x[SIZE];
    struct off_harmonics worst = {-200, -200};
    for (float pitch = 33; pitch <= 108; pitch += naive ? 25.0f : 1.37f) {
        struct saw_shape shape = saw_shape(pitch_hz(pitch));
        if (naive)
            shape.frames_per_unit = 1e9f;
        uint32_t increment = phase_increment(pitch_hz(pitch)), phase = 0;
        for (int i = 0; i < SIZE; i++, phase += increment)
            x[i] = saw_at(phase, &shape);
        keep_worst(&worst, measure(x, increment_hz(increment), SPECTRUM_LOBE_BINS));
    }
    return worst;
}

static void saw_folds_nothing_audible(void **unused)
{
    (void)unused;
    struct off_harmonics worst = worst_saw(0);
    print_message("# saw: %.1f dB under 2 kHz, %.1f dB above\n", worst.low_db, worst.high_db);
    assert_true(worst.low_db < -60 && worst.high_db < -40);
}

static void naive_saw_is_caught(void **unused)
{
    (void)unused;
    struct off_harmonics worst = worst_saw(1);
    assert_true(worst.low_db > -60 && worst.high_db > -40);
}

static void saw_keeps_its_level(void **unused)
{
    (void)unused;
    for (float pitch = 33; pitch <= 108; pitch += 5) {
        struct saw_shape shape = saw_shape(pitch_hz(pitch));
        uint32_t increment = phase_increment(pitch_hz(pitch)), phase = 0;
        double power = 0, mean = 0;
        for (int i = 0; i < SIZE; i++, phase += increment) {
            double x = saw_at(phase, &shape);
            power += x * x / SIZE;
            mean += x / SIZE;
        }
        assert_true(power > 0.15 && power < 0.4);
        assert_true(fabs(mean) < 1e-3);
    }
}

// The bell at its brightest, struck hardest, held there.
static struct off_harmonics worst_bell(float lowest, float highest)
{
    static float x[SIZE];
    struct off_harmonics worst = {-200, -200};
    static struct bell bell;
    for (float pitch = lowest; pitch <= highest; pitch += 1.37f) {
        memset(&bell, 0, sizeof bell);
        bell.strike[0] = bell.decay[0] = bell.lanes.level[0] = 1;
        bell.lanes.now = (struct lane_notes){.pitch = {pitch}, .velocity = {1}, .brightness = {1}};
        struct bell_control c = bell_control(&bell, 0, 1, 1);
        c.left = c.right = bell.gain_left[0] = bell.gain_right[0] = 1;
        bell.index[0] = c.index;
        for (int i = 0; i < SIZE; i += CONTROL_FRAMES) {
            struct stereo_block out;
            bell_sound(&bell, 0, &c, &out);
            memcpy(x + i, out.left, sizeof out.left);
        }
        double f0 = increment_hz(c.increment[BELL_MODULATOR]) / 2;
        keep_worst(&worst, measure(x, f0, SPECTRUM_LOBE_BINS + (int)(f0 * 0.0008 * SIZE / FRAME_RATE)));
    }
    return worst;
}

static void bell_folds_nothing_audible(void **unused)
{
    (void)unused;
    struct off_harmonics worst = worst_bell(33, 108);
    print_message("# bell: %.1f dB under 2 kHz, %.1f dB above\n", worst.low_db, worst.high_db);
    assert_true(worst.low_db < -60 && worst.high_db < -40);
}

// Planted: a bell where no bell belongs.
static void bell_far_too_high_is_caught(void **unused)
{
    (void)unused;
    struct off_harmonics worst = worst_bell(118, 125);
    print_message("# bell far too high: %.1f dB under 2 kHz, %.1f dB above\n", worst.low_db, worst.high_db);
    assert_true(worst.low_db > -60 || worst.high_db > -40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(angles_become_phases),
        cmocka_unit_test(saw_folds_nothing_audible),
        cmocka_unit_test(naive_saw_is_caught),
        cmocka_unit_test(saw_keeps_its_level),
        cmocka_unit_test(bell_folds_nothing_audible),
        cmocka_unit_test(bell_far_too_high_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
