// What is heard is what was rendered, in step with it, but for what 128 kb/s leave out.
#include "tools/heard.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNKS = 40, SAMPLES = CHUNK_FRAMES * CHANNELS };

static struct mood_log the_log;
static struct program program;
static float rendered[CHUNKS * SAMPLES], heard_sound[CHUNKS * SAMPLES];

static int make_log(void **state)
{
    struct mood mood = mood_default();
    program = (struct program){.seed = 5, .log = &the_log};
    return mood_log_init(&the_log, &mood) == STATUS_OK ? 0 : -1;
}

static int forget_log(void **state)
{
    mood_log_finish(&the_log);
    return 0;
}

static void take(uint64_t first_frame)
{
    struct renderer renderer;
    struct heard heard;
    assert_int_equal(renderer_init(&renderer, &program, backend_best(), first_frame, CHUNK_FRAMES), STATUS_OK);
    assert_int_equal(heard_init(&heard, &program, backend_best(), first_frame), STATUS_OK);
    for (int i = 0; i < CHUNKS; i++) {
        renderer_chunk(&renderer, rendered + i * SAMPLES);
        assert_int_equal(heard_next(&heard, heard_sound + i * SAMPLES), STATUS_OK);
    }
    renderer_finish(&renderer);
    heard_finish(&heard);
}

// dB of the difference below the sound, what is heard taken `late` frames later, from sample `from` on.
static double difference_db(int late, int from)
{
    double power = 0, difference = 0;
    for (int i = from; i < (CHUNKS - 1) * SAMPLES; i++) {
        double error = heard_sound[i + late * CHANNELS] - rendered[i];
        power += (double)rendered[i] * rendered[i];
        difference += error * error;
    }
    return 10 * log10(difference / power);
}

static void it_is_in_step(void **state)
{
    static const uint64_t places[] = {0, 3 * CHUNK_FRAMES, 100 * CHUNK_FRAMES, 457 * CHUNK_FRAMES};
    for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
        take(places[n]);
        double here = difference_db(0, 0);
        print_message("# from %llu s: %.1f dB; 4 frames later %.1f dB\n",
                      (unsigned long long)(places[n] / FRAME_RATE), here, difference_db(4, 0));
        assert_true(here < -12);
        assert_true(here < difference_db(4, 0) && here < difference_db(1, 0));
    }
}

// From the first sample on, wherever that is: a decoder that had just begun would give next to nothing for a while.
static void its_beginning_is_whole(void **state)
{
    take(457 * CHUNK_FRAMES);
    double power = 0, heard_power = 0;
    for (int i = 0; i < 960 * CHANNELS; i++) {
        power += (double)rendered[i] * rendered[i];
        heard_power += (double)heard_sound[i] * heard_sound[i];
    }
    assert_true(power > 0 && fabs(10 * log10(heard_power / power)) < 1);
}

static void nothing_is_wrong_with_nothing(void **state)
{
    struct heard heard = {.sound = NULL};
    heard_finish(&heard);
    heard_finish(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_in_step),
        cmocka_unit_test(its_beginning_is_whole),
        cmocka_unit_test(nothing_is_wrong_with_nothing),
    };
    return cmocka_run_group_tests(tests, make_log, forget_log);
}
