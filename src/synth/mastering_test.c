// The mastering by itself: ceiling, smooth gain, loudness servo, DC, lows in the middle.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNTH_WIDTH 1
#include "synth/mastering/mastering.h"
#include "synth/test_loudness.h"

// One value of a test signal.
typedef double signal_at(uint64_t frame, int channel);

// Where the tilt is flat.
static const struct mix neutral = {.warmth = 0.5f - 0.5f * TILT_MIDDLE_DB / TILT_DB, .loudness = -18};

struct run {
    struct mastering m;
    struct mix mix;
    uint64_t frame;
    double peak, power[2], mean[2], middle_power, side_power;
};

static void run_start(struct run *run)
{
    memset(run, 0, sizeof *run);
    mastering_rest(&run->m);
    run->mix = neutral;
}

// Sends a signal through for some seconds; measures are of these seconds alone.
static void run_on(struct run *run, signal_at *signal, double seconds)
{
    uint64_t end = run->frame + (uint64_t)(seconds * 750) * CONTROL_FRAMES;
    double count = (double)(end - run->frame);
    struct run fresh = {.m = run->m, .mix = run->mix, .frame = run->frame};
    for (*run = fresh; run->frame < end; run->frame += CONTROL_FRAMES) {
        struct stereo_block block;
        float out[CONTROL_FRAMES * CHANNELS];
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            block.left[i] = (float)signal(run->frame + (uint64_t)i, 0);
            block.right[i] = (float)signal(run->frame + (uint64_t)i, 1);
        }
        mastering_render(&run->m, run->frame, &run->mix, &block, out);
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            double left = out[2 * i], right = out[2 * i + 1];
            double louder = fmax(fabs(left), fabs(right));
            run->peak = louder > run->peak ? louder : run->peak;
            run->power[0] += left * left / count;
            run->power[1] += right * right / count;
            run->mean[0] += left / count;
            run->mean[1] += right / count;
            run->middle_power += (left + right) * (left + right) / 4 / count;
            run->side_power += (left - right) * (left - right) / 4 / count;
        }
    }
}

static double tone(uint64_t frame, double hz)
{
    return sin(2 * M_PI * hz * (double)frame / FRAME_RATE);
}

// Its samples lie beside its peaks, at .707 of them.
static double between_the_samples(uint64_t frame, int channel)
{
    (void)channel;
    return 3 * sin(M_PI / 2 * (double)(frame % 4) + M_PI / 4);
}

static double lows(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 80) * 0.05;
}

static double highs(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 6000) * 0.05;
}

static double silence(uint64_t frame, int channel)
{
    (void)frame;
    (void)channel;
    return 0;
}

// A sine of -20 dBFS in both channels has -20 LUFS at 1 kHz.
static double soft_tone(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 997) * pow(10, -20.0 / 20);
}

static double whisper(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 997) * pow(10, -45.0 / 20);
}

static double murmur_lufs;

static double murmur(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 997) * pow(10, murmur_lufs / 20);
}

static double din(uint64_t frame, int channel)
{
    return tone(frame, channel ? 311 : 223) * 3;
}

static double bursts(uint64_t frame, int channel)
{
    (void)channel;
    return tone(frame, 441) * (frame / 4800 % 7 == 0 ? 4.0 : 0.05);
}

static double offset(uint64_t frame, int channel)
{
    return tone(frame, 300) * 0.1 + (channel ? 0.2 : -0.1);
}

static double low_sides(uint64_t frame, int channel)
{
    return tone(frame, 70) * (channel ? -0.2 : 0.2) + tone(frame, 90) * 0.1;
}

static double high_sides(uint64_t frame, int channel)
{
    return tone(frame, 1200) * (channel ? -0.2 : 0.2) + tone(frame, 90) * 0.1;
}

// LUFS of a tone on both sides as the servo weighs it, over what a meter reads.
static double weighed_db(double hz)
{
    enum { FRAMES = 3 * FRAME_RATE };
    static float stereo[FRAMES * CHANNELS];
    struct mastering m;
    double power = 0;
    mastering_rest(&m);
    for (int frame = 0; frame < FRAMES; frame += CONTROL_FRAMES) {
        struct stereo_block b;
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            b.left[i] = b.right[i] = (float)(0.1 * tone((uint64_t)frame + (uint64_t)i, hz));
            stereo[(frame + i) * CHANNELS] = stereo[(frame + i) * CHANNELS + 1] = b.left[i];
        }
        double here = mastering_measure(&m, &b);
        power += frame < FRAME_RATE ? 0 : here * CONTROL_FRAMES / (2 * FRAME_RATE);
    }
    return -0.691 + 10 * log10(power) - test_loudness(stereo, FRAMES).integrated_lufs;
}

static void servo_weighs_as_a_meter_does(void **unused)
{
    (void)unused;
    double least = 9, most = -9;
    for (double hz = 50; hz < 10001; hz *= pow(200, 1.0 / 48)) {
        double db = weighed_db(hz);
        least = fmin(least, db);
        most = fmax(most, db);
    }
    print_message("# weighing from 50 Hz to 10 kHz: %+.2f to %+.2f dB\n", least, most);
    assert_true(least > -0.2 && most < 0.2);
}

static void servo_finds_its_target(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, soft_tone, 90);
    assert_true(fabs(run.m.servo_db - 2.0) < 0.15);
    run_on(&run, din, 90);
    assert_true(fabs(run.m.servo_db + SERVO_RANGE_DB) < 0.05);
}

static void servo_brings_a_scene_to_its_loudness(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run.mix.loudness = -23;
    run_on(&run, soft_tone, 90);
    assert_true(fabs(run.m.servo_db + 3.0) < 0.15);
}

static void servo_stands_still_in_silence(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, soft_tone, 60);
    run_on(&run, whisper, 30);
    float slow = run.m.slow, gain = run.m.servo_gain;
    run_on(&run, whisper, 30);
    assert_true(run.m.slow == slow && fabsf(run.m.servo_gain / gain - 1) < 1e-3f);
    run_on(&run, silence, 30);
    assert_true(run.m.slow == slow && fabsf(run.m.servo_gain / gain - 1) < 1e-3f);
}

// What is even softer is raised less, and nothing of that comes at once.
static void servo_lets_go_little_by_little(void **unused)
{
    (void)unused;
    double before = 0, steepest = 0, most = 0;
    for (murmur_lufs = -46; murmur_lufs <= -28; murmur_lufs += 0.5) {
        struct run run;
        run_start(&run);
        run_on(&run, murmur, 8);
        double level = (double)run.m.level_db;
        steepest = fmax(steepest, fabs(level - before));
        most = fmax(most, level);
        before = level;
    }
    print_message("# by half a dB softer the level moves by %.2f dB at most, up to %.1f dB\n", steepest, most);
    assert_true(steepest < 0.6 && most > 5);
}

static void servo_moves_slowly(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, soft_tone, 60);
    float before = run.m.servo_db;
    run_on(&run, din, 1);
    assert_true(fabsf(run.m.servo_db - before) < 3);
}

static void nothing_passes_the_ceiling(void **unused)
{
    (void)unused;
    static signal_at *const loud[] = {din, bursts};
    for (int n = 0; n < 2; n++) {
        struct run run;
        run_start(&run);
        run_on(&run, loud[n], 20);
        assert_true(run.peak <= LIMITER_CEILING * 1.00001);
        assert_true(run.peak > LIMITER_CEILING * 0.9);
    }
}

static void peaks_between_samples_are_seen(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, between_the_samples, 1);
    run_on(&run, between_the_samples, 4);
    double true_peak = run.peak * sqrt(2);
    print_message("# true peak %.3f dBTP\n", 20 * log10(true_peak));
    assert_true(true_peak <= LIMITER_CEILING * 1.01);
    assert_true(true_peak > LIMITER_CEILING * 0.9);
}

// dB between the output and the input of a tone under a warmth, the servo left out.
static double tilt_db(signal_at *signal, float warmth)
{
    struct run run;
    double db[2];
    for (int n = 0; n < 2; n++) {
        run_start(&run);
        run.mix.warmth = n ? warmth : 0.5f;
        run_on(&run, signal, 1);
        run_on(&run, signal, 3);
        db[n] = 10 * log10(run.power[0]) - (double)(run.m.servo_db + run.m.level_db);
    }
    return db[1] - db[0];
}

static void warmth_tilts(void **unused)
{
    (void)unused;
    double low = tilt_db(lows, 1), high = tilt_db(highs, 1);
    print_message("# warmth 1: %.2f dB at 80 Hz, %.2f dB at 6 kHz\n", low, high);
    assert_true(fabs(low - TILT_DB) < 0.7 && fabs(high + TILT_DB) < 0.7);
    low = tilt_db(lows, 0);
    high = tilt_db(highs, 0);
    print_message("# warmth 0: %.2f dB at 80 Hz, %.2f dB at 6 kHz\n", low, high);
    assert_true(fabs(low + TILT_DB) < 1 && fabs(high - TILT_DB) < 1);
}

// The gain goes from 1 to .2 over no less than the look-ahead, and its line has no step.
static void limiter_gain_is_a_line(void **unused)
{
    (void)unused;
    struct mastering m;
    mastering_rest(&m);
    float steepest = 0, before = 1;
    for (uint64_t frame = 0; frame < FRAME_RATE; frame += CONTROL_FRAMES) {
        struct stereo_block in = {{0}, {0}};
        float out[CONTROL_FRAMES * CHANNELS];
        in.left[7] = frame == 100 * CONTROL_FRAMES ? LIMITER_CEILING * 5 : 0;
        limiter_render(&m, frame, &in, out);
        steepest = before - m.limiter_gain > steepest ? before - m.limiter_gain : steepest;
        before = m.limiter_gain;
    }
    assert_true(steepest > 0.1 && steepest <= 0.8f / LIMITER_BLOCKS + 1e-6f);
    assert_true(m.limiter_gain > 0.9);
}

static void dc_goes(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, offset, 2);
    run_on(&run, offset, 5);
    assert_true(fabs(run.mean[0]) < 1e-3 && fabs(run.mean[1]) < 1e-3);
}

static void lows_stand_in_the_middle(void **unused)
{
    (void)unused;
    struct run run;
    run_start(&run);
    run_on(&run, low_sides, 3);
    run_on(&run, low_sides, 3);
    assert_true(run.side_power < run.middle_power * 0.3);
    run_start(&run);
    run_on(&run, high_sides, 3);
    assert_true(run.side_power > run.middle_power * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servo_weighs_as_a_meter_does),
        cmocka_unit_test(servo_finds_its_target),
        cmocka_unit_test(servo_brings_a_scene_to_its_loudness),
        cmocka_unit_test(peaks_between_samples_are_seen),
        cmocka_unit_test(warmth_tilts),
        cmocka_unit_test(servo_stands_still_in_silence),
        cmocka_unit_test(servo_lets_go_little_by_little),
        cmocka_unit_test(servo_moves_slowly),
        cmocka_unit_test(nothing_passes_the_ceiling),
        cmocka_unit_test(limiter_gain_is_a_line),
        cmocka_unit_test(dc_goes),
        cmocka_unit_test(lows_stand_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
