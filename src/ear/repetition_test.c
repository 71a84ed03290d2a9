#include "ear/repetition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"

enum { NOTES = 20000, RUN = 12, TOLERANCE = 480 };

// Seven pitches at random times.
static struct repetition_note *random_notes(void)
{
    static struct repetition_note notes[NOTES];
    uint64_t frame = 0;
    for (size_t i = 0; i < NOTES; i++) {
        frame += 10000 + random_below(1, 0, 2 * i, 100000);
        notes[i] = (struct repetition_note){frame, 60 + (int)random_below(1, 0, 2 * i + 1, 7)};
    }
    return notes;
}

// Puts the run that begins at `from` once more at `to`, each note up to `late` frames later.
static void plant(struct repetition_note *notes, size_t from, size_t to, uint64_t late)
{
    for (size_t i = 0; i < RUN; i++) {
        notes[to + i].pitch = notes[from + i].pitch;
        uint64_t behind = notes[from + i].at_frame - notes[from].at_frame;
        notes[to + i].at_frame = notes[to].at_frame + behind + (i % 2) * late;
    }
}

static void chance_repeats_nothing(void **state)
{
    struct repetition found;
    assert_int_equal(repetition_find(random_notes(), NOTES, RUN, TOLERANCE, &found), 0);
}

static void a_run_that_comes_again_is_found(void **state)
{
    struct repetition_note *notes = random_notes();
    struct repetition found;
    plant(notes, 777, 15000, TOLERANCE - 1);
    assert_int_equal(repetition_find(notes, NOTES, RUN, TOLERANCE, &found), 1);
    assert_int_equal(found.first, 777);
    assert_int_equal(found.second, 15000);
}

static void other_times_make_another_run(void **state)
{
    struct repetition_note *notes = random_notes();
    struct repetition found;
    plant(notes, 777, 15000, TOLERANCE + 1);
    assert_int_equal(repetition_find(notes, NOTES, RUN, TOLERANCE, &found), 0);
}

static void a_beat_repeats_itself_at_once(void **state)
{
    struct repetition_note notes[40];
    struct repetition found;
    for (size_t i = 0; i < 40; i++)
        notes[i] = (struct repetition_note){i * 24000, 60};
    assert_int_equal(repetition_find(notes, 40, RUN, TOLERANCE, &found), 1);
    assert_int_equal(repetition_find(notes, RUN, RUN, TOLERANCE, &found), 0);
    assert_int_equal(repetition_find(notes, 3, RUN, TOLERANCE, &found), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chance_repeats_nothing),
        cmocka_unit_test(a_run_that_comes_again_is_found),
        cmocka_unit_test(other_times_make_another_run),
        cmocka_unit_test(a_beat_repeats_itself_at_once),
    };
    return cmocka_run_group_tests_name("repetition", tests, NULL, NULL);
}
