// Chorus, echo, shimmer, freeze and saturation by themselves: where what they make lies, how loud it is, and that it
// stays where it belongs.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNTH_WIDTH 1
#include "synth/effects/chorus.h"
#include "synth/effects/echo.h"
#include "synth/effects/reverb.h"
#include "synth/effects/shimmer.h"
#include "synth/mastering/saturation.h"
#include "synth/test_spectrum.h"

static double decibel(double ratio)
{
    return 20 * log10(ratio + 1e-12);
}

// An impulse of 1 on both sides at frame 0; what comes of it, and what goes on into the room.
static void echo_of_an_impulse(float amount, float *left, float *right, float *room, int frames)
{
    static struct echo echo;
    memset(&echo, 0, sizeof echo);
    echo.level = amount * ECHO_MOST;
    for (int frame = 0; frame < frames; frame += CONTROL_FRAMES) {
        struct stereo_block send = {{0}, {0}}, wet = {{0}, {0}};
        send.left[0] = send.right[0] = frame == 0;
        echo_render(&echo, (uint64_t)frame, amount, &send, &wet);
        memcpy(left + frame, wet.left, sizeof wet.left);
        memcpy(right + frame, wet.right, sizeof wet.right);
        memcpy(room + frame, send.left, sizeof send.left);
    }
}

static double energy(const float *x, int from, int to)
{
    double sum = 0;
    for (int i = from; i < to; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

static void echoes_go_from_side_to_side(void **unused)
{
    (void)unused;
    enum { FRAMES = 4 * FRAME_RATE, ROUND = ECHO_LEFT_FRAMES + ECHO_RIGHT_FRAMES, WHILE = 2000 };
    static float left[FRAMES], right[FRAMES], room[FRAMES];
    echo_of_an_impulse(1, left, right, room, FRAMES);
    double first = energy(left, ECHO_LEFT_FRAMES, ECHO_LEFT_FRAMES + WHILE);
    double second = energy(right, ROUND, ROUND + WHILE);
    double third = energy(left, ROUND + ECHO_LEFT_FRAMES, ROUND + ECHO_LEFT_FRAMES + WHILE);
    print_message("# echoes: %.1f, %.1f, %.1f dB\n", 10 * log10(first), 10 * log10(second), 10 * log10(third));
    assert_true(first > 1e-3 && second < first * 0.36 && third < second * 0.36 && third > first * 0.01);
    // Each is alone where it is.
    assert_true(energy(left, 0, ECHO_LEFT_FRAMES) == 0);
    assert_true(energy(right, 0, ROUND) == 0);
    assert_true(energy(room, 1, ECHO_LEFT_FRAMES) == 0 && energy(room, ECHO_LEFT_FRAMES, FRAMES) > 0);
    echo_of_an_impulse(0, left, right, room, FRAMES);
    assert_true(energy(left, 0, FRAMES) == 0 && energy(right, 0, FRAMES) == 0);
}

static void a_chorus_wanders_and_widens(void **unused)
{
    (void)unused;
    enum { FRAMES = 8 * FRAME_RATE };
    static float left[FRAMES], right[FRAMES];
    static struct chorus chorus;
    for (int frame = 0; frame < FRAMES; frame += CONTROL_FRAMES) {
        struct stereo_block send, wet = {{0}, {0}};
        for (int i = 0; i < CONTROL_FRAMES; i++)
            send.left[i] = send.right[i] = (float)sin(2 * M_PI * 440 * (frame + i) / FRAME_RATE);
        chorus_render(&chorus, (uint64_t)frame, 1, &send, &wet);
        memcpy(left + frame, wet.left, sizeof wet.left);
        memcpy(right + frame, wet.right, sizeof wet.right);
    }
    double both = 0, largest = 0, steepest = 0;
    for (int i = FRAME_RATE; i < FRAMES; i++) {
        both += (double)left[i] * right[i];
        largest = fmax(largest, fabs((double)left[i]));
        steepest = fmax(steepest, fabs((double)left[i] - left[i - 1]));
    }
    double together = both / sqrt(energy(left, FRAME_RATE, FRAMES) * energy(right, FRAME_RATE, FRAMES));
    print_message("# chorus: sides %.2f alike, largest %.2f\n", together, largest);
    assert_true(together < 0.6);
    assert_true(largest > CHORUS_MOST && largest <= 2 * CHORUS_MOST + 1e-3);
    // No step where a delay passes from one frame to the next: a sine of that size is as steep as this at most.
    assert_true(steepest < largest * 2 * M_PI * 446 / FRAME_RATE * 1.05);
}

// Level of a tone in the room, from second to second, in dB: it comes in for 3 s, then the room is frozen, or not.
static void room_levels(float freeze, double level[12])
{
    static float wet_sound[FRAME_RATE];
    struct reverb *reverb = aligned_alloc(64, (sizeof *reverb + 63) / 64 * 64);
    if (!reverb)
        abort();
    memset(reverb, 0, sizeof *reverb);
    for (int frame = 0; frame < 12 * FRAME_RATE; frame += CONTROL_FRAMES) {
        struct stereo_block send, wet;
        for (int i = 0; i < CONTROL_FRAMES; i++)
            send.left[i] = send.right[i] =
                frame < 3 * FRAME_RATE || freeze > 0 ? (float)sin(2 * M_PI * 400 * (frame + i) / FRAME_RATE) : 0;
        reverb_render(reverb, (uint64_t)frame, 0.2f, frame < 3 * FRAME_RATE ? 0 : freeze, &send, &wet);
        memcpy(wet_sound + frame % FRAME_RATE, wet.left, sizeof wet.left);
        if ((frame + CONTROL_FRAMES) % FRAME_RATE == 0)
            level[frame / FRAME_RATE] = 10 * log10(energy(wet_sound, 0, FRAME_RATE) + 1e-12);
    }
    free(reverb);
}

// Frozen it holds, and takes nothing in though the tone goes on.
static void a_frozen_room_holds(void **unused)
{
    (void)unused;
    double frozen[12], open[12];
    room_levels(1, frozen);
    room_levels(0, open);
    print_message("# 8 s later: frozen %+.2f dB, open %+.1f dB\n", frozen[11] - frozen[3], open[11] - open[3]);
    assert_true(fabs(frozen[11] - frozen[3]) < 2.5);
    assert_true(open[11] - open[3] < -60);
}

static double tone_level(const float *x, int frames, double hz)
{
    double sine = 0, cosine = 0;
    for (int i = 0; i < frames; i++) {
        sine += x[i] * sin(2 * M_PI * hz * i / FRAME_RATE);
        cosine += x[i] * cos(2 * M_PI * hz * i / FRAME_RATE);
    }
    return 2 * hypot(sine, cosine) / frames;
}

enum { SHIMMERED_FRAMES = 4 * FRAME_RATE, SHIMMERED_FROM = FRAME_RATE };

// Shimmer alone of tones that go on, each of height 1.
static void shimmer_of(const double *hz, int count, float *sent)
{
    static struct shimmer shimmer;
    memset(&shimmer, 0, sizeof shimmer);
    shimmer.level = SHIMMER_MOST;
    for (int frame = 0; frame < SHIMMERED_FRAMES; frame += CONTROL_FRAMES) {
        struct stereo_block send = {{0}, {0}}, wet = {{0}, {0}};
        for (int i = 0; i < CONTROL_FRAMES; i++) {
            for (int n = 0; n < count; n++)
                wet.left[i] += (float)sin(2 * M_PI * fmod(hz[n] * (frame + i) / FRAME_RATE, 1));
            wet.right[i] = wet.left[i];
        }
        shimmer_send(&shimmer, (uint64_t)frame, 1, &send);
        shimmer_keep(&shimmer, (uint64_t)frame, &wet);
        memcpy(sent + frame, send.left, sizeof send.left);
    }
}

// Every semitone from C3 to C6: an octave higher in tune, nothing else, and as loud in each tenth of a second.
static void shimmer_is_an_octave_higher(void **unused)
{
    (void)unused;
    enum { STRETCH = FRAME_RATE / 10 };
    static float sent[SHIMMERED_FRAMES];
    static struct test_spectrum spectrum;
    double cents = 0, stray = 0, least = 1, most = 0;
    for (int pitch = 48; pitch <= 84; pitch++) {
        double hz = 440 * exp2((pitch - 69) / 12.0);
        shimmer_of(&hz, 1, sent);
        test_spectrum_take(&spectrum, sent + SHIMMERED_FROM, 1);
        cents = fmax(cents, fabs(1200 * log2(test_spectrum_hz(&spectrum, 2 * hz, 60) / (2 * hz))));
        double octave = test_spectrum_power(&spectrum, 2 * hz, SPECTRUM_LOBE_BINS * 0.75);
        stray = fmax(stray, test_spectrum_power(&spectrum, 12000, 12000) / octave - 1);
        for (int from = SHIMMERED_FROM; from + STRETCH <= SHIMMERED_FRAMES; from += STRETCH) {
            double level = tone_level(sent + from, STRETCH, 2 * hz) / SHIMMER_MOST;
            least = fmin(least, level);
            most = fmax(most, level);
        }
    }
    print_message("# shimmer: %.2f cents off at most, all else %.1f dB below, level %.3f to %.3f\n", cents,
                  -10 * log10(stray), least, most);
    assert_true(cents < 5 && stray < 1e-3 && least > 0.9 && most < 1.01);
}

// A chord comes out as one, close and low as it may be: what two of its tones would make of each other lies midway.
static void shimmer_keeps_chords_apart(void **unused)
{
    (void)unused;
    static const double chord[] = {130.81, 146.83, 196.0, 220.0, 329.63, 349.23};
    enum { TONES = sizeof chord / sizeof *chord };
    static float sent[SHIMMERED_FRAMES];
    static struct test_spectrum spectrum;
    shimmer_of(chord, TONES, sent);
    test_spectrum_take(&spectrum, sent + SHIMMERED_FROM, 1);
    double whole = test_spectrum_power(&spectrum, 12000, 12000), tones = 0, between = 0;
    for (int n = 0; n < TONES; n++) {
        tones += test_spectrum_power(&spectrum, 2 * chord[n], SPECTRUM_LOBE_BINS * 0.75);
        if (n > 0)
            between = fmax(between, test_spectrum_power(&spectrum, chord[n - 1] + chord[n], 3));
    }
    print_message("# shimmer of a chord: all else %.1f dB below, between two tones %.1f dB\n",
                  10 * log10(tones / (whole - tones)), 10 * log10(tones / between));
    assert_true(whole - tones < 2e-3 * tones && between < 1e-3 * tones);
}

// What a second of a tone leaves in a room of the longest decay with all the shimmer that there is: it dies away.
static void shimmer_does_not_feed_itself(void **unused)
{
    (void)unused;
    enum { SECONDS = 40 };
    static float second[FRAME_RATE];
    static struct shimmer shimmer;
    double level[SECONDS];
    struct reverb *reverb = aligned_alloc(64, (sizeof *reverb + 63) / 64 * 64);
    if (!reverb)
        abort();
    memset(reverb, 0, sizeof *reverb);
    memset(&shimmer, 0, sizeof shimmer);
    for (int frame = 0; frame < SECONDS * FRAME_RATE; frame += CONTROL_FRAMES) {
        struct stereo_block send = {{0}, {0}}, wet;
        for (int i = 0; i < CONTROL_FRAMES && frame < FRAME_RATE; i++)
            send.left[i] = send.right[i] = (float)sin(2 * M_PI * 300 * (frame + i) / FRAME_RATE);
        shimmer_send(&shimmer, (uint64_t)frame, 1, &send);
        reverb_render(reverb, (uint64_t)frame, 1, 0, &send, &wet);
        shimmer_keep(&shimmer, (uint64_t)frame, &wet);
        memcpy(second + frame % FRAME_RATE, wet.left, sizeof wet.left);
        if ((frame + CONTROL_FRAMES) % FRAME_RATE == 0)
            level[frame / FRAME_RATE] = 10 * log10(energy(second, 0, FRAME_RATE) + 1e-12);
    }
    free(reverb);
    print_message("# with all shimmer: %.1f dB at 2 s, %.1f dB at 20 s, %.1f dB at %d s\n", level[2], level[20],
                  level[SECONDS - 1], SECONDS);
    assert_true(level[20] < level[2] - 10 && level[SECONDS - 1] < level[20] - 10);
}

enum { BENT_FRAMES = 32768 };

// A sine through the saturation, at whole turns of the window.
static void bend(double hz, double height, float warmth, float *out)
{
    static struct saturation saturation;
    memset(&saturation, 0, sizeof saturation);
    saturation.drive = SATURATION_LEAST + SATURATION_MORE * warmth;
    for (int frame = -2 * CONTROL_FRAMES; frame < BENT_FRAMES; frame += CONTROL_FRAMES) {
        struct stereo_block b;
        for (int i = 0; i < CONTROL_FRAMES; i++)
            b.left[i] = b.right[i] = (float)(height * sin(2 * M_PI * hz * (frame + i) / FRAME_RATE));
        saturation_render(&saturation, warmth, &b);
        if (frame >= 0)
            memcpy(out + frame, b.left, sizeof b.left);
    }
}

// Level of a frequency by the sine itself, over whole turns.
static double level_at(const float *x, double hz)
{
    double sine = 0, cosine = 0;
    for (int i = 0; i < BENT_FRAMES; i++) {
        sine += x[i] * sin(2 * M_PI * hz * i / FRAME_RATE);
        cosine += x[i] * cos(2 * M_PI * hz * i / FRAME_RATE);
    }
    return decibel(hypot(sine, cosine) * 2 / BENT_FRAMES);
}

static double whole_turns(double hz)
{
    return round(hz * BENT_FRAMES / FRAME_RATE) * FRAME_RATE / BENT_FRAMES;
}

static void warmth_adds_a_third_harmonic(void **unused)
{
    (void)unused;
    static float out[BENT_FRAMES];
    double hz = whole_turns(500), third[3];
    for (int n = 0; n < 3; n++) {
        bend(hz, 0.5, (float)n * 0.5f, out);
        third[n] = level_at(out, 3 * hz) - level_at(out, hz);
        assert_true(fabs(level_at(out, hz) - decibel(0.5)) < 1);
    }
    print_message("# third harmonic of -6 dBFS: %.1f, %.1f, %.1f dB at warmth 0, .5, 1\n", third[0], third[1],
                  third[2]);
    assert_true(third[0] < -65 && third[1] > third[0] + 12 && third[2] > third[1] + 6 && third[2] < -30);
    // What is soft stays as it was.
    bend(hz, 0.01, 1, out);
    assert_true(fabs(level_at(out, hz) - decibel(0.01)) < 0.01);
    assert_true(level_at(out, 3 * hz) < -120);
}

// The third and fifth harmonic of 11 kHz lie above half the rate: they may not come back below it.
static void what_folds_back_is_far_down(void **unused)
{
    (void)unused;
    static float out[BENT_FRAMES];
    double hz = whole_turns(11000), worst = -200;
    bend(hz, 0.5, 1, out);
    for (int fold = 3; fold <= 5; fold += 2) {
        double back = fabs(fold * hz - FRAME_RATE * round(fold * hz / FRAME_RATE));
        worst = fmax(worst, level_at(out, back) - level_at(out, hz));
    }
    print_message("# folded back of 11 kHz at -6 dBFS: %.1f dB\n", worst);
    assert_true(worst < -70);
    // Without oversampling it would be there.
    for (int i = 0; i < BENT_FRAMES; i++)
        out[i] = tanhf((float)(0.5 * sin(2 * M_PI * hz * i / FRAME_RATE)));
    assert_true(level_at(out, FRAME_RATE - 3 * hz) - level_at(out, hz) > -45);
}

static void highs_pass(void **unused)
{
    (void)unused;
    static float out[BENT_FRAMES];
    for (double hz = 1000; hz <= 17000; hz += 2000) {
        bend(whole_turns(hz), 0.02, 0.5f, out);
        assert_true(fabs(level_at(out, whole_turns(hz)) - decibel(0.02)) < 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_go_from_side_to_side),  cmocka_unit_test(a_chorus_wanders_and_widens),
        cmocka_unit_test(shimmer_is_an_octave_higher),  cmocka_unit_test(shimmer_keeps_chords_apart),
        cmocka_unit_test(shimmer_does_not_feed_itself), cmocka_unit_test(a_frozen_room_holds),
        cmocka_unit_test(warmth_adds_a_third_harmonic), cmocka_unit_test(what_folds_back_is_far_down),
        cmocka_unit_test(highs_pass),
    };
    return cmocka_run_group_tests_name("effects", tests, NULL, NULL);
}
