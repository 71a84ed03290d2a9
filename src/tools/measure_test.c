// The meters against libebur128, on real renders as they are read from files: within .1 LU and .1 dB.
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
#include "tools/sound_reader.h"

static char directory[] = "/tmp/auralis-measure-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/sound.flac", directory);
    return 0;
}

static int tear_down(void **state)
{
    return rmdir(directory);
}

static void render(char *scene, char *seed, char *duration)
{
    char *words[] = {"render", "--quiet", "--scene", scene, "--seed", seed, "--duration", duration,
                     "--out", path, NULL};
    assert_int_equal(tool_render.run(sizeof words / sizeof *words - 1, words), 0);
}

// Feeds the whole file to both.
static void measure(struct card_meter *meter, ebur128_state *other)
{
    char words[200];
    struct text failure = text_on(words, sizeof words);
    float sound[CHUNK_FRAMES * CHANNELS];
    struct sound_reader *reader;
    assert_int_equal(sound_reader_open(&reader, path, 0, &failure), STATUS_OK);
    for (size_t count; (count = sound_reader_read(reader, sound, CHUNK_FRAMES)) > 0;) {
        assert_int_equal(card_meter_add(meter, sound, count), STATUS_OK);
        assert_int_equal(ebur128_add_frames_float(other, sound, count), EBUR128_SUCCESS);
    }
    assert_int_equal(sound_reader_frames(reader), 0);
    sound_reader_close(reader);
}

static void assert_agreement(void)
{
    struct card card;
    double integrated, range, left, right;
    struct card_meter *meter = card_meter_create();
    ebur128_state *other =
        ebur128_init(CHANNELS, FRAME_RATE, EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    assert_true(meter && other);
    measure(meter, other);
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
}

static void renders_of_every_kind_agree(void **state)
{
    static char *const scenes[][2] = {{"drift", "1"}, {"sleep", "2"}, {"bright", "3"}};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        render(scenes[i][0], scenes[i][1], "45");
        assert_agreement();
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(renders_of_every_kind_agree)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
