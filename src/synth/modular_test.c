// The patches of the modular instrument: as the Voice says, as loud as one another, nothing folded back.
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
#include "synth/voice/voice.h"

enum { SECONDS = 4, FRAMES = SECONDS * FRAME_RATE };

static const char *const names[MODULAR_PATCHES] = {"glow", "breath", "tine", "reed"};

// The id of a note that has this patch.
static uint64_t id_of(int patch)
{
    static struct modular m;
    for (uint64_t id = 1;; id++) {
        m.lanes.now.id[0] = id;
        if (modular_patch(&m, 0) == &modular_patches[patch])
            return id;
    }
}

static void play(int patch, float pitch, double hold_s, float *stereo)
{
    static const struct mix middle = TEST_MIX_MIDDLE;
    struct note note = test_note(pitch, hold_s);
    note.id = id_of(patch);
    note.release_s = 20;
    test_note_play(INSTRUMENT_MODULAR, &note, &middle, stereo, FRAMES);
}

static void patches_are_as_loud_as_a_bell(void **unused)
{
    (void)unused;
    static float out[FRAMES * CHANNELS];
    static const struct mix middle = TEST_MIX_MIDDLE;
    struct note note = test_note(60, 100);
    test_note_play(INSTRUMENT_BELL, &note, &middle, out, FRAMES);
    double bell = test_loudness(out, FRAMES).integrated_lufs + 20 * log10((double)bell_levels.dry), worst = 0;
    for (int patch = 0; patch < MODULAR_PATCHES; patch++) {
        play(patch, 60, 100, out);
        double lufs = test_loudness(out, FRAMES).integrated_lufs + 20 * log10((double)modular_levels.dry);
        print_message("# %s: %+.1f LU against the bell\n", names[patch], lufs - bell);
        worst = fmax(worst, fabs(lufs - bell));
    }
    assert_true(worst < 2);
}

// Level of each 50 ms in dB.
static int levels_of(const float *x, int step, int frames, int rate, double *db)
{
    int stretch = rate / 20, count = frames / stretch;
    for (int k = 0; k < count; k++) {
        double power = 1e-9;
        for (int i = 0; i < stretch; i++)
            power += (double)x[(k * stretch + i) * step] * (double)x[(k * stretch + i) * step];
        db[k] = 10 * log10(power / stretch);
    }
    return count;
}

// The same patch, pitch and key by the renderer of the Voice.
static int voice_levels(int number, float pitch, float hold_s, double *db)
{
    static float out[SECONDS * VOICE_RATE];
    struct voice_patch patch = modular_patches[number];
    struct voice_work *work = aligned_alloc(64, (voice_work_bytes() + 63) / 64 * 64);
    if (!work)
        abort();
    patch.value[VOICE_KEYBOARD_MIDI_F0] = pitch;
    patch.value[VOICE_KEYBOARD_DURATION] = hold_s;
    voice_work_init(work, SECONDS * VOICE_RATE);
    voice_render(voice_renderer_list()[0], work, &patch, 0, 1, 7, out);
    free(work);
    return levels_of(out, 1, SECONDS * VOICE_RATE, VOICE_RATE, db);
}

// Envelopes, tremolo and the balance of the sounds, while the key is held and after it.
static void patches_follow_the_voice(void **unused)
{
    (void)unused;
    static float out[FRAMES * CHANNELS];
    for (int patch = 0; patch < MODULAR_PATCHES; patch++) {
        double want[SECONDS * 20], got[SECONDS * 20], offset = 0, worst = 0;
        int counted = 0, count = voice_levels(patch, 60, 2.5f, want);
        play(patch, 60, 2.5, out);
        assert_int_equal(levels_of(out, CHANNELS, FRAMES, FRAME_RATE, got), count);
        // From .2 s on, where the lane's own attack and what differs in the beginning are over; release lasts 20 s there.
        for (int k = 4; k < 50; k++, counted++)
            offset += got[k] - want[k];
        for (int k = 4; k < count && want[k] > -40; k++)
            worst = fmax(worst, fabs(got[k] - want[k] - offset / counted));
        print_message("# %s: %.2f dB from the Voice at most\n", names[patch], worst);
        assert_true(worst < 1.5);
    }
}

// The oscillator between square and saw by itself.
static struct off_harmonics bare(float pitch, float shape, float overdrive)
{
    static float x[SPECTRUM_SIZE];
    static struct test_spectrum spectrum;
    static struct modular m;
    struct modular_knobs knobs = {.value = {{0}}};
    struct modular_control c;
    const vf modulation[VOICE_DESTINATIONS] = {[VOICE_TO_VCO_2_AMP] = 1};
    vu noise = 1;
    m.lanes.now.pitch[0] = pitch;
    knobs.value[VOICE_VCO_2_SHAPE][0] = shape;
    knobs.value[VOICE_MIXER_VCO_2][0] = 1;
    modular_pitch(&m, &knobs, 0, UINT32_MAX, modulation, &c);
    modular_amps(&m, &knobs, 0, 1, modulation, &c);
    c.drive *= overdrive;
    c.amp[1] = 1;
    c.amp_step[1] = 0;
    for (int i = 0; i < SPECTRUM_SIZE; i++)
        x[i] = modular_tick(&c, &noise);
    test_spectrum_take(&spectrum, x, 1);
    return test_spectrum_off_harmonics(&spectrum, c.increment[1] * (double)FRAME_RATE / 0x1p32, SPECTRUM_LOBE_BINS);
}

static void nothing_audible_is_folded(void **unused)
{
    (void)unused;
    struct off_harmonics worst = {-200, -200};
    for (float pitch = 33; pitch <= 108; pitch += 1.37f)
        for (float shape = 0; shape <= 1; shape += 0.5f) {
            struct off_harmonics here = bare(pitch, shape, 1);
            worst.low_db = fmax(worst.low_db, here.low_db);
            worst.high_db = fmax(worst.high_db, here.high_db);
        }
    struct off_harmonics naive = bare(91.3f, 0, 30);
    print_message("# off the harmonics: %.1f dB under 2 kHz, %.1f dB above; driven thirty times too hard: %.1f, %.1f\n",
                  worst.low_db, worst.high_db, naive.low_db, naive.high_db);
    assert_true(worst.low_db < -60 && worst.high_db < -40);
    assert_true(naive.low_db > -60 || naive.high_db > -40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_are_as_loud_as_a_bell),
        cmocka_unit_test(patches_follow_the_voice),
        cmocka_unit_test(nothing_audible_is_folded),
    };
    return cmocka_run_group_tests_name("modular", tests, NULL, NULL);
}
