// What is heard of chunks that come, come again in time, or come again too late.
#include "client/playout.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/message.h"

enum { MOST = 40 * FRAME_RATE };

// What was given out: one value a frame, and where the holes are.
struct ear {
    float *values;
    uint64_t next, holes;
};

static struct ear ear;

static void hear(void *context, uint64_t first_frame, const float *sound, size_t frames)
{
    assert_ptr_equal(context, &ear);
    assert_true(first_frame >= ear.next && first_frame + frames <= MOST);
    ear.holes += first_frame > ear.next;
    for (size_t i = 0; i < frames; i++) {
        assert_true(sound[2 * i] == sound[2 * i + 1]);
        ear.values[first_frame + i] = sound[2 * i];
    }
    ear.next = first_frame + frames;
}

static struct playout *begin(void)
{
    free(ear.values);
    ear = (struct ear){.values = calloc(MOST, sizeof(float))};
    struct playout *playout = playout_create(hear, &ear);
    assert_non_null(playout);
    return playout;
}

static void add_with(struct playout *playout, uint64_t index, float value, uint64_t live, uint8_t flags)
{
    static float sound[CHUNK_FRAMES * CHANNELS];
    for (int i = 0; i < CHUNK_FRAMES * CHANNELS; i++)
        sound[i] = value;
    struct client_chunk chunk = {.first_frame = index * CHUNK_FRAMES, .frame_count = CHUNK_FRAMES, .sound = sound,
                                 .flags = flags,
                                 .sound_frames = CHUNK_FRAMES,
                                 .heard_ns = (int64_t)frames_to_ns(index * CHUNK_FRAMES),
                                 .arrival_ns = (int64_t)frames_to_ns(live)};
    assert_int_equal(playout_add(playout, &chunk), STATUS_OK);
}

// A chunk of one value that arrives when `live` is heard.
static void add(struct playout *playout, uint64_t index, float value, uint64_t live)
{
    add_with(playout, index, value, live, 0);
}

static void assert_heard(uint64_t from, uint64_t to, float value)
{
    for (uint64_t frame = from; frame < to; frame++)
        assert_true(ear.values[frame] == value);
}

static void sound_waits_for_its_moment(void **state)
{
    struct playout *playout = begin();
    for (uint64_t i = 0; i < 300; i++)    // half a minute at once: more than it had room for
        add(playout, i, (float)i, 0);
    assert_int_equal(ear.next, 0);
    add(playout, 300, 300, 2 * CHUNK_FRAMES + 480);
    assert_int_equal(ear.next, 2 * CHUNK_FRAMES + 480);
    playout_destroy(playout);
    assert_int_equal(ear.next, 301 * CHUNK_FRAMES);
    assert_int_equal(ear.holes, 0);
    for (uint64_t i = 0; i <= 300; i++)
        assert_heard(i * CHUNK_FRAMES, (i + 1) * CHUNK_FRAMES, (float)i);
}

static void what_comes_again_in_time_is_heard_instead(void **state)
{
    struct playout *playout = begin();
    for (uint64_t i = 0; i < 20; i++)
        add(playout, i, 1, 0);
    for (uint64_t i = 5; i < 20; i++)
        add(playout, i, 2, 4 * CHUNK_FRAMES);
    playout_destroy(playout);
    assert_heard(0, 5 * CHUNK_FRAMES, 1);
    assert_heard(5 * CHUNK_FRAMES, 20 * CHUNK_FRAMES, 2);
}

// Each frame is a little nearer to `to` than the one before.
static void assert_fades(uint64_t from, uint64_t frames, float to)
{
    for (uint64_t frame = from; frame < from + frames; frame++) {
        float step = ear.values[frame] - ear.values[frame - 1], left = to - ear.values[frame - 1];
        assert_true(step * left >= 0 && fabsf(step) < 0.0011f);
    }
}

// The first chunk comes when it is over, the second in the middle of it.
static void what_comes_too_late_is_faded_in(void **state)
{
    struct playout *playout = begin();
    uint64_t live = 6 * CHUNK_FRAMES + 480;
    for (uint64_t i = 0; i < 20; i++)
        add(playout, i, 1, 0);
    for (uint64_t i = 5; i < 20; i++)
        add(playout, i, 2, live);
    playout_destroy(playout);
    assert_heard(0, live, 1);
    assert_fades(live, 960, 2);
    assert_heard(live + 960, 20 * CHUNK_FRAMES, 2);
}

// Three chunks come again, and then nothing until it is too late.
static void what_stops_coming_again_leads_over_to_what_is_there(void **state)
{
    struct playout *playout = begin();
    for (uint64_t i = 0; i < 20; i++)
        add(playout, i, 1, 0);
    for (uint64_t i = 5; i < 8; i++)
        add(playout, i, 2, 4 * CHUNK_FRAMES);
    for (uint64_t i = 8; i < 20; i++)
        add(playout, i, 2, 9 * CHUNK_FRAMES + 480);
    playout_destroy(playout);
    assert_heard(5 * CHUNK_FRAMES, 8 * CHUNK_FRAMES - 960, 2);
    assert_fades(8 * CHUNK_FRAMES - 960, 960, 1);
    assert_heard(8 * CHUNK_FRAMES, 9 * CHUNK_FRAMES + 480, 1);
    assert_fades(9 * CHUNK_FRAMES + 480, 960, 2);
    assert_heard(9 * CHUNK_FRAMES + 1440, 20 * CHUNK_FRAMES, 2);
}

static void what_comes_while_it_is_led_over_is_faded_in_behind(void **state)
{
    struct playout *playout = begin();
    for (uint64_t i = 0; i < 20; i++)
        add(playout, i, 1, 0);
    add(playout, 5, 2, 4 * CHUNK_FRAMES);
    for (uint64_t i = 6; i < 20; i++)
        add(playout, i, 2, 6 * CHUNK_FRAMES - 480);
    playout_destroy(playout);
    assert_fades(6 * CHUNK_FRAMES - 960, 960, 1);
    assert_fades(6 * CHUNK_FRAMES, 960, 2);
    assert_heard(6 * CHUNK_FRAMES + 960, 20 * CHUNK_FRAMES, 2);
}

static void what_follows_a_skip_is_faded_in(void **state)
{
    struct playout *playout = begin();
    for (uint64_t i = 0; i < 20; i++)
        add(playout, i, 1, 0);
    add(playout, 5, 2, 4 * CHUNK_FRAMES);
    for (uint64_t i = 9; i < 20; i++)
        add_with(playout, i, 2, 4 * CHUNK_FRAMES, i == 9 ? MESSAGE_DISCONTINUITY : 0);
    playout_destroy(playout);
    assert_fades(6 * CHUNK_FRAMES - 960, 960, 1);
    assert_heard(6 * CHUNK_FRAMES, 9 * CHUNK_FRAMES, 1);
    assert_fades(9 * CHUNK_FRAMES, 960, 2);
    assert_heard(9 * CHUNK_FRAMES + 960, 20 * CHUNK_FRAMES, 2);
}

static void a_hole_stays_one(void **state)
{
    struct playout *playout = begin();
    add(playout, 0, 1, 0);
    add(playout, 3, 2, 0);
    playout_destroy(playout);
    assert_int_equal(ear.holes, 1);
    assert_heard(0, CHUNK_FRAMES, 1);
    assert_heard(CHUNK_FRAMES, 3 * CHUNK_FRAMES, 0);
    assert_heard(3 * CHUNK_FRAMES, 4 * CHUNK_FRAMES, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_waits_for_its_moment),
        cmocka_unit_test(what_comes_again_in_time_is_heard_instead),
        cmocka_unit_test(what_comes_too_late_is_faded_in),
        cmocka_unit_test(what_stops_coming_again_leads_over_to_what_is_there),
        cmocka_unit_test(what_comes_while_it_is_led_over_is_faded_in_behind),
        cmocka_unit_test(what_follows_a_skip_is_faded_in),
        cmocka_unit_test(a_hole_stays_one),
    };
    int failed = cmocka_run_group_tests_name("playout", tests, NULL, NULL);
    free(ear.values);
    return failed;
}
