#include "ear/click_finder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "ear/ear_signals.h"

enum { SECONDS = 95, FRAMES = SECONDS * FRAME_RATE, FIRST = 12345, FOUND = 64 };

static float *sound;

static int claim(void **state)
{
    sound = malloc(sizeof *sound * FRAMES * CHANNELS);
    return sound ? 0 : -1;
}

static int release(void **state)
{
    free(sound);
    return 0;
}

static int set_up(void **state)
{
    memset(sound, 0, sizeof *sound * FRAMES * CHANNELS);
    signal_sine(sound, FRAMES, 200, .1);
    return 0;
}

static size_t find(size_t piece, struct click *found)
{
    struct click_finder finder;
    assert_int_equal(click_finder_init(&finder), STATUS_OK);
    for (size_t at = 0; at < FRAMES; at += piece) {
        size_t count = piece < FRAMES - at ? piece : FRAMES - at;
        assert_int_equal(click_finder_add(&finder, FIRST + at, sound + at * CHANNELS, count), STATUS_OK);
    }
    assert_int_equal(click_finder_end(&finder), STATUS_OK);
    size_t count = finder.count;
    assert_true(count <= FOUND);
    if (count > 0 && found)
        memcpy(found, finder.found, count * sizeof *found);
    click_finder_finish(&finder);
    return count;
}

// Segments meet at 29.5 s, 58.5 s and 87.5 s.
static void clicks_are_found_once_wherever_they_lie(void **state)
{
    static const double at_s[] = {.3, 1, 29.1, 29.4999, 30, 58.5, 58.9, 87.4, 94.9};
    enum { CLICKS = sizeof at_s / sizeof *at_s };
    struct click found[FOUND], again[FOUND];
    for (int i = 0; i < CLICKS; i++)
        sound[(size_t)(at_s[i] * FRAME_RATE) * CHANNELS] += .05f;
    assert_int_equal(find(4800, found), CLICKS);
    for (int i = 0; i < CLICKS; i++)
        assert_int_equal(found[i].frame, FIRST + (uint64_t)(at_s[i] * FRAME_RATE));
    assert_int_equal(find(77777, again), CLICKS);
    for (int i = 0; i < CLICKS; i++)
        assert_true(found[i].frame == again[i].frame && found[i].ratio == again[i].ratio);
}

static void clean_material_has_none(void **state)
{
    assert_int_equal(find(FRAMES, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(clicks_are_found_once_wherever_they_lie, set_up),
        cmocka_unit_test_setup(clean_material_has_none, set_up),
    };
    return cmocka_run_group_tests(tests, claim, release);
}
