// The Voice against torchsynth's formulas in double precision, level against level, and at its limits.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "synth/voice/test_reference.h"
#include "synth/voice/voice.h"

enum { SHORT = VOICE_RATE / 2, SEED = 7, NOISE = 12345 };

static void *room(size_t bytes)
{
    void *room = aligned_alloc(64, (bytes + 63) / 64 * 64);
    check(room);
    return room;
}

static float *rendered(const struct voice_renderer *renderer, const struct voice_patch *patches, int count, int frames)
{
    struct voice_work *work = room(voice_work_bytes());
    float *out = room((size_t)count * (size_t)frames * sizeof *out);
    voice_work_init(work, frames);
    voice_render(renderer, work, patches, 0, count, NOISE, out);
    free(work);
    return out;
}

// Everything is on, nothing at a limit.
static void middling(float units[VOICE_PARAMETERS])
{
    for (int p = 0; p < VOICE_PARAMETERS; p++)
        units[p] = .6f;
    units[VOICE_MIXER_NOISE] = .95f;
}

static void ranges_are_met(void **unused)
{
    assert_int_equal(VOICE_PARAMETERS, 78);
    for (int p = 0; p < VOICE_PARAMETERS; p++) {
        const struct voice_range *range = &voice_ranges[p];
        struct voice_patch patch;
        for (float unit = 0; unit <= 1; unit += .125f) {
            float units[VOICE_PARAMETERS] = {0};
            double side = range->symmetric ? 2 * unit - 1 : unit;
            double bent = copysign(pow(fabs(side), 1.0 / (double)range->curve), side);
            double share = range->symmetric ? (bent + 1) / 2 : bent,
                   span = (double)range->largest - (double)range->smallest;
            units[p] = unit;
            voice_patch_from_units(&patch, units);
            assert_true(fabs(patch.value[p] - (range->smallest + span * share)) <= 2e-5 * span);
        }
    }
}

// Sums of squares, and the largest.
struct difference {
    double squares, largest;
    int samples;
};

static void difference_add(struct difference *difference, double error)
{
    difference->squares += error * error;
    difference->largest = fmax(difference->largest, fabs(error));
    difference->samples++;
}

static double difference_rms(const struct difference *difference)
{
    return sqrt(difference->squares / difference->samples);
}

// Phases drift: a pitch in single precision is right to about 1e-7, and within 4 s turns up to 50,000 times. So the
// first 100 ms are judged more strictly, and the whole against what the same formulas in single precision make of it.
static void sounds_as_the_formulas_say(void **unused)
{
    enum { PATCHES = 64, FRAMES = VOICE_FRAMES_MAX, EARLY = VOICE_RATE / 10 };
    struct difference early = {0}, all = {0}, single = {0};
    struct voice_work *work = room(voice_work_bytes());
    double *want = room(FRAMES * sizeof *want), *want_float = room(FRAMES * sizeof *want_float);
    float *is = room(FRAMES * sizeof *is);
    voice_work_init(work, FRAMES);
    for (int p = 0; p < PATCHES; p++) {
        struct voice_patch patch;
        voice_patch_from_seed(&patch, SEED, (uint64_t)p);
        voice_renderer_best()->render(work, &patch, NOISE, is);
        reference_double(&patch, NOISE, FRAMES, want);
        reference_float(&patch, NOISE, FRAMES, want_float);
        for (int n = 0; n < FRAMES; n++) {
            difference_add(&all, is[n] - want[n]);
            difference_add(&single, want_float[n] - want[n]);
            if (n < EARLY)
                difference_add(&early, is[n] - want[n]);
        }
    }
    print_message("# 100 ms: rms %.2e, most %.2e; 4 s: rms %.2e, most %.2e; in single precision: rms %.2e, most %.2e\n",
                  difference_rms(&early), early.largest, difference_rms(&all), all.largest, difference_rms(&single),
                  single.largest);
    assert_true(difference_rms(&early) < 1e-4 && early.largest < 1.5e-3);
    assert_true(difference_rms(&all) < 2e-3 && all.largest < .03);
    assert_true(difference_rms(&all) < 1.25 * difference_rms(&single));
    free(is);
    free(want);
    free(want_float);
    free(work);
}

static void levels_agree_on(const struct voice_patch *patches, int count, int frames)
{
    float *want = rendered(voice_renderer_list()[0], patches, count, frames);
    for (const struct voice_renderer *const *at = voice_renderer_list() + 1; *at; at++) {
        if (!(*at)->available())
            continue;
        float *is = rendered(*at, patches, count, frames);
        assert_memory_equal(is, want, (size_t)count * (size_t)frames * sizeof *is);
        free(is);
    }
    free(want);
}

static void levels_agree(void **unused)
{
    struct voice_patch patches[48];
    for (int p = 0; p < 48; p++)
        voice_patch_from_seed(&patches[p], SEED, 1000 + (uint64_t)p);
    levels_agree_on(patches, 8, VOICE_FRAMES_MAX);
    levels_agree_on(patches, 48, SHORT + 7);
}

static void every_parameter_matters(void **unused)
{
    struct voice_patch patches[1 + VOICE_PARAMETERS];
    float units[VOICE_PARAMETERS];
    middling(units);
    voice_patch_from_units(&patches[0], units);
    for (int p = 0; p < VOICE_PARAMETERS; p++) {
        middling(units);
        units[p] -= .05f;
        voice_patch_from_units(&patches[1 + p], units);
    }
    struct voice_work *work = room(voice_work_bytes());
    float *base = room(VOICE_FRAMES_MAX * sizeof *base), *changed = room(VOICE_FRAMES_MAX * sizeof *changed);
    voice_work_init(work, VOICE_FRAMES_MAX);
    voice_renderer_best()->render(work, &patches[0], NOISE, base);
    for (int p = 0; p < VOICE_PARAMETERS; p++) {
        struct difference difference = {0};
        voice_renderer_best()->render(work, &patches[1 + p], NOISE, changed);
        for (int n = 0; n < VOICE_FRAMES_MAX; n++)
            difference_add(&difference, changed[n] - base[n]);
        if (difference.largest < 1e-4)
            fail_msg("%s changes nothing", voice_ranges[p].name);
    }
    free(changed);
    free(base);
    free(work);
}

// Each parameter at either end, and all of them.
static void extremes_are_finite(void **unused)
{
    enum { COUNT = 2 * VOICE_PARAMETERS + 2 };
    struct voice_patch *patches = room(COUNT * sizeof *patches);
    float units[VOICE_PARAMETERS];
    for (int p = 0; p < COUNT; p++) {
        voice_patch_from_seed(&patches[p], SEED, (uint64_t)p);
        int parameter = p / 2;
        if (parameter < VOICE_PARAMETERS)
            patches[p].value[parameter] = p % 2 ? voice_ranges[parameter].largest : voice_ranges[parameter].smallest;
        for (int u = 0; u < VOICE_PARAMETERS && parameter == VOICE_PARAMETERS; u++)
            units[u] = p % 2 ? 1 : 0;
        if (parameter == VOICE_PARAMETERS)
            voice_patch_from_units(&patches[p], units);
    }
    float *out = rendered(voice_renderer_best(), patches, COUNT, SHORT);
    for (int n = 0; n < COUNT * SHORT; n++)
        assert_true(fabsf(out[n]) <= 1.000001f);
    free(out);
    levels_agree_on(patches, COUNT, SHORT);
    free(patches);
}

// Both oscillators sweep from limit to limit, many times a second.
static void sweeps_meet_the_limits(void **unused)
{
    struct voice_patch patch;
    float units[VOICE_PARAMETERS];
    middling(units);
    voice_patch_from_units(&patch, units);
    patch.value[VOICE_VCO_1_MOD_DEPTH] = 96;
    patch.value[VOICE_VCO_2_MOD_DEPTH] = -96;
    patch.value[VOICE_LFO_1_FREQUENCY] = 20;
    patch.value[VOICE_MOD_LFO_1_TO_VCO_1_PITCH] = patch.value[VOICE_MOD_LFO_1_TO_VCO_2_PITCH] = 1;
    levels_agree_on(&patch, 1, VOICE_FRAMES_MAX);
    struct difference difference = {0};
    double *want = room(SHORT * sizeof *want);
    float *is = room(SHORT * sizeof *is);
    struct voice_work *work = room(voice_work_bytes());
    voice_work_init(work, SHORT);
    voice_renderer_best()->render(work, &patch, NOISE, is);
    reference_double(&patch, NOISE, SHORT, want);
    for (int n = 0; n < SHORT; n++)
        difference_add(&difference, is[n] - want[n]);
    print_message("# sweeps: rms %.2e, most %.2e\n", difference_rms(&difference), difference.largest);
    assert_true(difference_rms(&difference) < 1e-3 && difference.largest < .01);
    free(work);
    free(is);
    free(want);
}

static void all_levels_down_are_silent(void **unused)
{
    struct voice_patch patch;
    voice_patch_from_seed(&patch, SEED, 0);
    patch.value[VOICE_MIXER_VCO_1] = patch.value[VOICE_MIXER_VCO_2] = patch.value[VOICE_MIXER_NOISE] = 0;
    float *out = rendered(voice_renderer_best(), &patch, 1, SHORT);
    for (int n = 0; n < SHORT; n++)
        assert_true(out[n] == 0);
    free(out);
}

static void any_length_fits(void **unused)
{
    static const int lengths[] = {VOICE_FRAMES_MIN, 4411, 12345, 44100, 100003, VOICE_FRAMES_MAX - 1};
    struct voice_patch patch;
    voice_patch_from_seed(&patch, SEED, 3);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        int frames = lengths[l];
        struct voice_work *work = room(voice_work_bytes());
        float *out = room(((size_t)frames + 33) * sizeof *out);
        for (int n = 0; n < 33; n++)
            out[n ? frames + n : 0] = 77;
        voice_work_init(work, frames);
        voice_renderer_best()->render(work, &patch, NOISE, out + 1);
        assert_true(out[0] == 77);
        for (int n = 1; n < 33; n++)
            assert_true(out[frames + n] == 77);
        free(out);
        free(work);
        levels_agree_on(&patch, 1, frames);
    }
}

static void a_batch_can_be_shared_out(void **unused)
{
    struct voice_patch patches[8];
    for (int p = 0; p < 8; p++)
        voice_patch_from_seed(&patches[p], SEED, (uint64_t)p);
    size_t bytes = sizeof(float) * 8 * SHORT;
    float *want = rendered(voice_renderer_best(), patches, 8, SHORT), *is = room(bytes);
    struct voice_work *work = room(voice_work_bytes());
    voice_work_init(work, SHORT);
    voice_render(voice_renderer_best(), work, patches, 3, 5, NOISE, is);
    voice_render(voice_renderer_best(), work, patches, 0, 3, NOISE, is);
    assert_memory_equal(is, want, bytes);
    voice_render(voice_renderer_best(), work, patches, 0, 8, NOISE + 1, is);
    assert_memory_not_equal(is, want, bytes);
    free(work);
    free(is);
    free(want);
}

// Level of even numbers in -1 .. 1, and nothing that one sample says of the next ones.
static void noise_is_white(void **unused)
{
    struct voice_patch patch = {{0}};
    patch.value[VOICE_KEYBOARD_DURATION] = 4;
    patch.value[VOICE_ADSR_1_SUSTAIN] = 1;
    patch.value[VOICE_ADSR_1_ALPHA] = patch.value[VOICE_ADSR_2_ALPHA] = 1;
    patch.value[VOICE_MOD_ADSR_1_TO_NOISE_AMP] = patch.value[VOICE_MIXER_NOISE] = 1;
    float *out = rendered(voice_renderer_best(), &patch, 1, VOICE_FRAMES_MAX);
    for (int lag = 0; lag < 64; lag++) {
        double sum = 0;
        for (int n = 64; n < VOICE_FRAMES_MAX; n++)
            sum += (double)out[n] * (double)out[n - lag];
        sum *= 3.0 / (VOICE_FRAMES_MAX - 64);
        assert_true(fabs(sum - (lag == 0)) < .015);
    }
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_met),
        cmocka_unit_test(sounds_as_the_formulas_say),
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(every_parameter_matters),
        cmocka_unit_test(extremes_are_finite),
        cmocka_unit_test(sweeps_meet_the_limits),
        cmocka_unit_test(all_levels_down_are_silent),
        cmocka_unit_test(any_length_fits),
        cmocka_unit_test(a_batch_can_be_shared_out),
        cmocka_unit_test(noise_is_white),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
