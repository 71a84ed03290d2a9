// The reverb by itself: how long it rings, how dense it is, whether it has modes that stand out.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <kiss_fftr.h>

#define SYNTH_WIDTH 1
#include "synth/effects/reverb.h"

enum { MAX_SECONDS = 12, MAX_FRAMES = MAX_SECONDS * FRAME_RATE };

struct response {
    float left[MAX_FRAMES], right[MAX_FRAMES];
};

// Answer to one sample of 1 on the left and -.5 on the right.
static struct response *respond(float space)
{
    struct response *response = malloc(sizeof *response);
    struct reverb *reverb = aligned_alloc(64, (sizeof *reverb + 63) / 64 * 64);
    if (!response || !reverb)
        abort();
    memset(reverb, 0, sizeof *reverb);
    // The level is at its place before the impulse comes.
    for (uint64_t frame = 0; frame < MAX_FRAMES + CONTROL_FRAMES; frame += CONTROL_FRAMES) {
        struct stereo_block send = {{0}, {0}}, wet;
        if (frame == CONTROL_FRAMES) {
            send.left[0] = 1;
            send.right[0] = -0.5f;
        }
        reverb_render(reverb, frame, space, 0, &send, &wet);
        if (frame >= CONTROL_FRAMES) {
            memcpy(response->left + frame - CONTROL_FRAMES, wet.left, sizeof wet.left);
            memcpy(response->right + frame - CONTROL_FRAMES, wet.right, sizeof wet.right);
        }
    }
    free(reverb);
    return response;
}

// Seconds per 60 dB of a band an octave wide, from the fall between -5 and -25 dB of what is still to come.
static double decay_seconds(const float *x, double centre_hz)
{
    double *later = malloc((MAX_FRAMES + 1) * sizeof *later);
    if (!later)
        abort();
    double g = tan(M_PI * centre_hz / FRAME_RATE), k = 0.7, a1 = 1 / (1 + g * (g + k)), one = 0, two = 0;
    double one_b = 0, two_b = 0;
    for (int i = 0; i < MAX_FRAMES; i++) {
        double band = a1 * one + g * a1 * (x[i] - two), low = two + g * band;
        one = 2 * band - one;
        two = 2 * low - two;
        double band_b = a1 * one_b + g * a1 * (band - two_b), low_b = two_b + g * band_b;
        one_b = 2 * band_b - one_b;
        two_b = 2 * low_b - two_b;
        later[i] = band_b * band_b;
    }
    later[MAX_FRAMES] = 0;
    for (int i = MAX_FRAMES - 1; i >= 0; i--)
        later[i] += later[i + 1];
    // What lies beyond the end of the response is missing, so the fall is read well before it.
    int from = 0, to;
    while (later[from] > later[0] * pow(10, -0.5))
        from++;
    for (to = from; to < MAX_FRAMES && later[to] > later[0] * pow(10, -1.5);)
        to++;
    free(later);
    return 6.0 * (to - from) / FRAME_RATE;
}

static void decays_as_told_and_highs_sooner(void **unused)
{
    (void)unused;
    static const float spaces[] = {0.0f, 0.5f, 1.0f};
    for (int n = 0; n < 3; n++) {
        struct response *r = respond(spaces[n]);
        double want = 4 * pow(5, spaces[n]);
        double middle = decay_seconds(r->left, 700), right = decay_seconds(r->right, 700);
        double high = decay_seconds(r->left, 7000);
        print_message("# space %.1f: %.2f s at 700 Hz (right %.2f), %.2f s at 7 kHz\n", spaces[n], middle, right, high);
        assert_true(middle > want * 0.8 && middle < want * 1.2);
        assert_true(right > want * 0.8 && right < want * 1.2);
        assert_true(high <= middle / 2);
        free(r);
    }
}

// Share of the samples beyond one deviation, over that of Gaussian noise.
// Source: J. Abel and P. Huang, A simple, robust measure of reverberation echo density, AES 121 (2006).
static double echo_density(const float *x, int from, int frames)
{
    double power = 0;
    int beyond = 0;
    for (int i = from; i < from + frames; i++)
        power += (double)x[i] * x[i] / frames;
    for (int i = from; i < from + frames; i++)
        beyond += (double)x[i] * x[i] > power;
    return beyond / (frames * 0.3173);
}

// Of the 25 ms around so many milliseconds after the impulse.
static double echo_density_at(const float *x, int ms)
{
    return echo_density(x, ms * 48 - 600, 1200);
}

static void dense_by_150_ms(void **unused)
{
    (void)unused;
    static const float spaces[] = {0.0f, 0.5f, 1.0f};
    for (int n = 0; n < 3; n++) {
        struct response *r = respond(spaces[n]);
        double mean = 0;
        for (int ms = 150; ms <= 300; ms += 25) {
            double left = echo_density_at(r->left, ms), right = echo_density_at(r->right, ms);
            print_message("# space %.1f, %d ms: echo density %.2f %.2f\n", spaces[n], ms, left, right);
            // So few samples of noise are within a quarter of it.
            assert_true(left > 0.75 && right > 0.75);
            mean += (left + right) / 14;
        }
        assert_true(mean > 0.95);
        free(r);
    }
}

// Planted: single echoes, one in a millisecond, with nothing between them.
static void single_echoes_are_not_dense(void **unused)
{
    (void)unused;
    static float x[FRAME_RATE];
    for (int i = 0; i < FRAME_RATE; i++)
        x[i] = i % 48 == i / 48 % 48 ? (float)cos(i) : 0;
    assert_true(echo_density_at(x, 150) < 0.5 && echo_density_at(x, 300) < 0.5);
}

enum { TAIL = 65536, TAIL_BINS = TAIL / 2 + 1 };

// dB by which the highest bin of a tail lies above those around it. Noise has none far above; a mode that rings longer
// than the others has.
static double highest_mode_db(const float *tail)
{
    static float windowed[TAIL];
    static kiss_fft_cpx spectrum[TAIL_BINS];
    for (int i = 0; i < TAIL; i++)
        windowed[i] = tail[i] * (float)(0.5 - 0.5 * cos(2 * M_PI * i / TAIL));
    kiss_fftr_cfg fft = kiss_fftr_alloc(TAIL, 0, NULL, NULL);
    kiss_fftr(fft, windowed, spectrum);
    free(fft);
    double worst = 0;
    for (int k = 200 * TAIL / FRAME_RATE; k < 4000 * TAIL / FRAME_RATE; k++) {
        double around = 0;
        for (int d = -150; d <= 150; d++)
            around += (double)spectrum[k + d].r * spectrum[k + d].r + (double)spectrum[k + d].i * spectrum[k + d].i;
        double here = (double)spectrum[k].r * spectrum[k].r + (double)spectrum[k].i * spectrum[k].i;
        worst = here / (around / 301) > worst ? here / (around / 301) : worst;
    }
    return 10 * log10(worst);
}

static void no_mode_stands_out(void **unused)
{
    (void)unused;
    static const float spaces[] = {0.0f, 0.3f, 0.7f, 1.0f};
    for (int n = 0; n < 4; n++) {
        struct response *r = respond(spaces[n]);
        double left = highest_mode_db(r->left + 3 * FRAME_RATE), right = highest_mode_db(r->right + 3 * FRAME_RATE);
        print_message("# space %.1f: highest bins of the tail %.1f and %.1f dB over their surroundings\n", spaces[n],
                      left, right);
        assert_true(left < 15 && right < 15);
        free(r);
    }
}

// Planted: a tone a third as strong as the tail.
static void a_mode_that_rings_is_told(void **unused)
{
    (void)unused;
    struct response *r = respond(0.3f);
    float *tail = r->left + 3 * FRAME_RATE;
    double power = 0;
    for (int i = 0; i < TAIL; i++)
        power += (double)tail[i] * tail[i] / TAIL;
    for (int i = 0; i < TAIL; i++)
        tail[i] += (float)(0.3 * sqrt(2 * power) * sin(2 * M_PI * 1234.5 / FRAME_RATE * i));
    assert_true(highest_mode_db(tail) > 15);
    free(r);
}

static void lows_stay_out(void **unused)
{
    (void)unused;
    struct reverb *reverb = aligned_alloc(64, (sizeof *reverb + 63) / 64 * 64);
    memset(reverb, 0, sizeof *reverb);
    double power[2] = {0, 0};
    static const double hz[2] = {50, 500};
    for (int n = 0; n < 2; n++)
        for (uint64_t frame = 0; frame < 10 * FRAME_RATE; frame += CONTROL_FRAMES) {
            struct stereo_block send, wet;
            for (int i = 0; i < CONTROL_FRAMES; i++) {
                double turns = hz[n] * (double)(frame + (uint64_t)i) / FRAME_RATE;
                send.left[i] = send.right[i] = (float)sin(2 * M_PI * turns);
            }
            reverb_render(reverb, frame, 0.2f, 0, &send, &wet);
            for (int i = 0; i < CONTROL_FRAMES && frame > 6 * FRAME_RATE; i++)
                power[n] += (double)wet.left[i] * wet.left[i];
        }
    assert_true(10 * log10(power[1] / power[0]) > 12);
    free(reverb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decays_as_told_and_highs_sooner),
        cmocka_unit_test(dense_by_150_ms),
        cmocka_unit_test(single_echoes_are_not_dense),
        cmocka_unit_test(no_mode_stands_out),
        cmocka_unit_test(a_mode_that_rings_is_told),
        cmocka_unit_test(lows_stay_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
