// What is held goes on through the fade from one chain to the next as if there were one chain only.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "score/scene.h"
#include "station/programme.h"

enum { SECOND = FRAME_RATE, STEP = SECOND / 4, WINDOW = SECOND / 2, AROUND = 4 * SECOND };
enum { FRAMES = 2 * AROUND + (int)PROGRAMME_FADE_FRAMES };

#define EPOCH PROGRAMME_EPOCH_FRAMES
#define WOKEN ((uint64_t)536 * FRAME_RATE)

// Woken shortly before the chain of the next epoch begins: less has to be rendered.
static void log_begin(struct mood_log *log, const char *scene)
{
    struct mood mood = scene_mood(scene_find(scene));
    struct mood_entry waking = {.sequence = 1, .at_frame = WOKEN, .wake_frame = WOKEN, .mood = mood};
    assert_int_equal(mood_log_init(log, &mood), STATUS_OK);
    assert_int_equal(mood_log_copy(log, &waking), STATUS_OK);
}

static void render(const struct program *program, float *out)
{
    static float dropped[CHUNK_FRAMES * CHANNELS];
    struct programme *programme = aligned_alloc(64, programme_bytes());
    assert_non_null(programme);
    programme_start(programme, program, programme_begin_frame(program, WOKEN));
    while (programme_frame(programme) < EPOCH - AROUND) {
        uint64_t left = EPOCH - AROUND - programme_frame(programme);
        programme_render(programme, program, backend_best(), dropped, left < CHUNK_FRAMES ? (int)left : CHUNK_FRAMES);
    }
    programme_render(programme, program, backend_best(), out, FRAMES);
    free(programme);
}

// Hertz of the drone that both chains are told of late and that goes on through the fade.
static double drone_hz(const struct program *program)
{
    static struct event events[COMPOSE_MAX_EVENTS];
    double pitch = 0;
    int count = compose_sounding(program, EPOCH + PROGRAMME_FADE_FRAMES, events);
    for (int i = 0; i < count; i++)
        if (events[i].kind == EVENT_NOTE_ON && events[i].note.layer == LAYER_DRONE && events[i].at_frame < WOKEN)
            pitch = (double)events[i].note.pitch;
    assert_true(pitch > 0);
    return 440 * exp2((pitch - 69) / 12);
}

// Level in dB of what lies about `hz` in the half second from `from` on.
static double level_at(const float *stereo, int from, double hz)
{
    double sine = 0, cosine = 0;
    for (int i = 0; i < WINDOW; i++) {
        double x = stereo[(from + i) * CHANNELS] + stereo[(from + i) * CHANNELS + 1];
        x *= 1 - cos(2 * M_PI * i / WINDOW);
        sine += x * sin(2 * M_PI * hz * i / FRAME_RATE);
        cosine += x * cos(2 * M_PI * hz * i / FRAME_RATE);
    }
    return 20 * log10(hypot(sine, cosine) / WINDOW);
}

// Decibels by which the drone is softer within the fade than it ever is around it.
static double dip(const float *stereo, double hz)
{
    double around = 1e9, inside = 1e9;
    for (int from = 0; from + WINDOW <= FRAMES; from += STEP) {
        bool fades = from + WINDOW > AROUND && from < FRAMES - AROUND;
        double *least = fades ? &inside : &around;
        *least = fmin(*least, level_at(stereo, from, hz));
    }
    return around - inside;
}

static void a_drone_goes_on_through_the_fade(void **state)
{
    static const struct {
        const char *scene;
        uint64_t seed;
    } rows[] = {{"deep", 2}, {"deep", 18}, {"meditation", 18}, {"cathedral", 2}, {"cathedral", 18}, {"sleep", 2}};
    static float out[FRAMES * CHANNELS];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mood_log log;
        log_begin(&log, rows[i].scene);
        struct program program = {.seed = rows[i].seed, .log = &log};
        render(&program, out);
        double db = dip(out, drone_hz(&program));
        print_message("# %s, seed %d: a dip of %.1f dB\n", rows[i].scene, (int)rows[i].seed, db);
        assert_true(db < 2);
        mood_log_finish(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drone_goes_on_through_the_fade),
    };
    return cmocka_run_group_tests_name("programme_fade", tests, NULL, NULL);
}
