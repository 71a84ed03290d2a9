// No run of twelve notes comes twice: the melody of each scene with its loops, and by itself, note for note.
//
// usage: repeats_test [HOURS]   of each scene; 1 if not given
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "compose/compose.h"
#include "ear/repetition.h"
#include "score/scene.h"

enum { RUN = 12, TOLERANCE_FRAMES = FRAME_RATE / 100, MOST_AN_HOUR = 8192 };

static int hours = 1;

static bool is_tune(const struct event *event, bool with_loops)
{
    return event->kind == EVENT_NOTE_ON &&
           (event->note.layer == LAYER_LEAD || (with_loops && event->note.layer == LAYER_LOOP));
}

static size_t compose_tune(const struct scene *scene, bool with_loops, struct repetition_note *notes, size_t cap)
{
    struct mood_log log;
    struct mood mood = scene_mood(scene);
    struct event events[COMPOSE_MAX_EVENTS];
    size_t count = 0;
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    const struct program program = {42, &log};
    uint64_t end = (uint64_t)hours * 3600 * FRAME_RATE;
    for (uint64_t frame = 0; frame < end; frame += CHUNK_FRAMES) {
        int told = compose_events(&program, frame, frame + CHUNK_FRAMES, events);
        for (int i = 0; i < told; i++)
            if (is_tune(&events[i], with_loops) && count < cap)
                notes[count++] = (struct repetition_note){events[i].at_frame, (int)events[i].note.pitch};
    }
    mood_log_finish(&log);
    assert_true(count < cap);
    return count;
}

static void assert_no_run_comes_twice(const struct scene *scene, bool with_loops, struct repetition_note *notes,
                                      size_t cap)
{
    struct repetition found;
    size_t count = compose_tune(scene, with_loops, notes, cap), length = 1;
    int comes_twice;
    while ((comes_twice = repetition_find(notes, count, length, TOLERANCE_FRAMES, &found)) == 1)
        length++;
    assert_int_equal(comes_twice, 0);
    print_message("# %s%s: %zu notes in %d h, the longest run that comes twice has %zu\n", scene->name,
                  with_loops ? "" : ", melody alone", count, hours, length - 1);
    assert_true(count > 20);
    assert_true(length <= RUN);
}

static void no_run_comes_twice(void **state)
{
    size_t cap = (size_t)hours * MOST_AN_HOUR;
    struct repetition_note *notes = malloc(cap * sizeof *notes);
    assert_non_null(notes);
    for (int i = 0; i < scene_count; i++) {
        assert_no_run_comes_twice(&scenes[i], true, notes, cap);
        assert_no_run_comes_twice(&scenes[i], false, notes, cap);
    }
    // The search can find: the same tune twice.
    struct repetition found;
    size_t count = compose_tune(&scenes[0], true, notes, cap);
    memcpy(notes + count - RUN, notes, RUN * sizeof *notes);
    assert_int_equal(repetition_find(notes, count, RUN, TOLERANCE_FRAMES, &found), 1);
    free(notes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_run_comes_twice)};
    if (argc > 1)
        hours = atoi(argv[1]);
    return cmocka_run_group_tests_name("repeats", tests, NULL, NULL);
}
