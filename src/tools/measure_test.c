// The meters against libebur128, on real renders as they are read from files, and on what listeners get of every scene:
// within .1 LU and .1 dB. An argument is how many seconds of each scene.
#include "tools/tools.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <ebur128.h>

#include "base/frames.h"
#include "ear/card.h"
#include "ear/gates.h"
#include "tools/sound_reader.h"

static char directory[] = "/tmp/auralis-measure-XXXXXX";
static char path[64], opus_path[64];
static char *seconds = "12";

static int set_up(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/sound.flac", directory);
    snprintf(opus_path, sizeof opus_path, "%s/sound.opus", directory);
    return 0;
}

static int tear_down(void **state)
{
    return rmdir(directory);
}

static void render(const char *scene, char *seed, char *duration, char *to)
{
    char name[32];
    snprintf(name, sizeof name, "%s", scene);
    char *words[] = {"render", "--quiet", "--scene", name, "--seed", seed, "--duration", duration, "--out", to, NULL};
    assert_int_equal(tool_render.run(sizeof words / sizeof *words - 1, words), 0);
}

// Feeds the whole file to both.
static void measure(const char *from, struct card_meter *meter, ebur128_state *other)
{
    char words[200];
    struct text failure = text_on(words, sizeof words);
    float sound[CHUNK_FRAMES * CHANNELS];
    struct sound_reader *reader;
    assert_int_equal(sound_reader_open(&reader, from, 0, &failure), STATUS_OK);
    for (size_t count; (count = sound_reader_read(reader, sound, CHUNK_FRAMES)) > 0;) {
        assert_int_equal(card_meter_add(meter, sound, count), STATUS_OK);
        assert_int_equal(ebur128_add_frames_float(other, sound, count), EBUR128_SUCCESS);
    }
    assert_int_equal(sound_reader_frames(reader), 0);
    sound_reader_close(reader);
}

// Returns what libebur128 says of the true peak, in dBTP.
static double assert_agreement(const char *from)
{
    struct card card;
    double integrated, range, left, right;
    struct card_meter *meter = card_meter_create();
    ebur128_state *other =
        ebur128_init(CHANNELS, FRAME_RATE, EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    assert_true(meter && other);
    measure(from, meter, other);
    assert_int_equal(card_meter_read(meter, &card), STATUS_OK);
    ebur128_loudness_global(other, &integrated);
    ebur128_loudness_range(other, &range);
    ebur128_true_peak(other, 0, &left);
    ebur128_true_peak(other, 1, &right);
    assert_true(fabs(card.integrated - integrated) < .1);
    assert_true(fabs(card.loudness_range - range) < .1);
    assert_true(fabs(card.true_peak - 20 * log10(fmax(left, right))) < .1);
    ebur128_destroy(&other);
    card_meter_destroy(meter);
    return 20 * log10(fmax(left, right));
}

static void renders_of_every_kind_agree(void **state)
{
    static char *const kinds[][2] = {{"drift", "1"}, {"sleep", "2"}, {"bright", "3"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        render(kinds[i][0], kinds[i][1], "45", path);
        assert_agreement(path);
        unlink(path);
    }
}

// Encoded at 128 kb/s and decoded, as a listener hears it: no true peak over -1 dBTP, by either meter.
static void every_scene_agrees_as_listeners_get_it(void **state)
{
    int scenes = 0;
    for (int i = 0; i < gate_profile_count; i++) {
        const char *name = gate_profiles[i].name;
        // Of the profiles those of scenes alone say what spectrum they have.
        if (!gates_of_row(&gate_profiles[i], "slope"))
            continue;
        render(name, "7", seconds, opus_path);
        double peak = assert_agreement(opus_path);
        print_message("# %s: %.2f dBTP by libebur128, decoded\n", name, peak);
        assert_true(peak <= -1);
        unlink(opus_path);
        scenes++;
    }
    assert_true(scenes >= 12);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(renders_of_every_kind_agree),
                                       cmocka_unit_test(every_scene_agrees_as_listeners_get_it)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
