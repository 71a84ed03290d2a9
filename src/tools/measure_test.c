// The meters against libebur128, on real renders as they are read from files, and on what listeners get of every scene:
// within .01 LU and .02 dB. An argument is how many seconds of each scene.
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
#define mode ebur128_mode    // the score has modes too
#include <ebur128.h>
#undef mode

#include "base/frames.h"
#include "ear/card.h"
#include "score/scene.h"
#include "tools/heard.h"
#include "tools/sound_reader.h"

static char directory[] = "/tmp/auralis-measure-XXXXXX";
static char path[64];
static int seconds = 12;

struct meters {
    struct card_meter *ours;
    ebur128_state *other;
};

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

static void render(char *scene, char *seed)
{
    char *words[] = {"render", "--quiet", "--scene", scene, "--seed", seed, "--duration", "45", "--out", path, NULL};
    assert_int_equal(tool_render.run(sizeof words / sizeof *words - 1, words), 0);
}

static struct meters meters_create(void)
{
    int what = EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK;
    struct meters meters = {card_meter_create(), ebur128_init(CHANNELS, FRAME_RATE, what)};
    assert_true(meters.ours && meters.other);
    return meters;
}

static void meters_add(struct meters *meters, const float *sound, size_t frames)
{
    assert_int_equal(card_meter_add(meters->ours, sound, frames), STATUS_OK);
    assert_int_equal(ebur128_add_frames_float(meters->other, sound, frames), EBUR128_SUCCESS);
}

// Ends them. Returns what libebur128 says of the true peak, in dBTP.
static double meters_agree(struct meters *meters)
{
    struct card card;
    double integrated, range, left, right;
    assert_int_equal(card_meter_read(meters->ours, &card), STATUS_OK);
    ebur128_loudness_global(meters->other, &integrated);
    ebur128_loudness_range(meters->other, &range);
    ebur128_true_peak(meters->other, 0, &left);
    ebur128_true_peak(meters->other, 1, &right);
    double peak = 20 * log10(fmax(left, right));
    assert_true(fabs(card.integrated - integrated) < .01);
    assert_true(fabs(card.loudness_range - range) < .01);
    assert_true(fabs(card.true_peak - peak) < .02);
    ebur128_destroy(&meters->other);
    card_meter_destroy(meters->ours);
    return peak;
}

static void measure_file(struct meters *meters)
{
    char words[200];
    struct text failure = text_on(words, sizeof words);
    float sound[CHUNK_FRAMES * CHANNELS];
    struct sound_reader *reader;
    assert_int_equal(sound_reader_open(&reader, path, 0, &failure), STATUS_OK);
    for (size_t count; (count = sound_reader_read(reader, sound, CHUNK_FRAMES)) > 0;)
        meters_add(meters, sound, count);
    assert_int_equal(sound_reader_frames(reader), 0);
    sound_reader_close(reader);
}

static void measure_heard(struct meters *meters, const struct scene *scene)
{
    struct mood mood = scene_mood(scene);
    struct mood_log log;
    struct heard heard;
    float sound[CHUNK_FRAMES * CHANNELS];
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    struct program program = {.seed = 7, .log = &log};
    assert_int_equal(heard_init(&heard, &program, backend_best(), 0), STATUS_OK);
    for (int i = 0; i < seconds * FRAME_RATE / CHUNK_FRAMES; i++) {
        assert_int_equal(heard_next(&heard, sound), STATUS_OK);
        meters_add(meters, sound, CHUNK_FRAMES);
    }
    heard_finish(&heard);
    mood_log_finish(&log);
}

static void renders_of_every_kind_agree(void **state)
{
    static char *const kinds[][2] = {{"drift", "1"}, {"sleep", "2"}, {"bright", "3"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct meters meters = meters_create();
        render(kinds[i][0], kinds[i][1]);
        measure_file(&meters);
        meters_agree(&meters);
        unlink(path);
    }
}

// Encoded by a station at 128 kb/s and decoded: no true peak over -1 dBTP, by either meter.
static void every_scene_agrees_as_listeners_get_it(void **state)
{
    for (int i = 0; i < scene_count; i++) {
        struct meters meters = meters_create();
        measure_heard(&meters, &scenes[i]);
        double peak = meters_agree(&meters);
        print_message("# %s: %.2f dBTP by libebur128, decoded\n", scenes[i].name, peak);
        assert_true(peak <= -1);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = atoi(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(renders_of_every_kind_agree),
                                       cmocka_unit_test(every_scene_agrees_as_listeners_get_it)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
