#include "control/wishes.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "os/thread.h"

struct asker {
    struct wish wish;       // the first member: what `done` is told is where it stands
    struct wakeup done;
    atomic_int *count;
};

static void done(struct wish *wish)
{
    struct asker *asker = (struct asker *)wish;
    atomic_fetch_add(asker->count, 1);
    wakeup_raise(&asker->done);
}

// Stands still until it is let go.
static enum status keep_slowly(void *context, const struct control_entry *entry)
{
    wakeup_wait(context, UINT64_MAX);
    return entry->mood.bpm == 66 ? STATUS_IO : STATUS_OK;
}

static struct clock test_clock;

static struct sequencer *begin(struct wakeup *gate)
{
    clock_init_virtual(&test_clock, 1000 * NS_PER_SECOND, 0);
    return sequencer_create(&(struct control_config){.clock = &test_clock, .origin_ns = 1000 * NS_PER_SECOND,
                                                     .mood = mood_default(), .keep = gate ? keep_slowly : NULL,
                                                     .keep_context = gate});
}

static void ask(struct asker *asker, struct sequencer *sequencer, atomic_int *count, int bpm)
{
    *asker = (struct asker){.wish = {.sequencer = sequencer, .patch = {1u << MOOD_ID_bpm, {.bpm = bpm}}, .done = done},
                            .count = count};
    wakeup_init(&asker->done);
}

static void a_wish_comes_true_on_another_thread_while_its_maker_goes_on(void **state)
{
    struct wishes *wishes;
    struct wakeup gate;
    struct asker first, second;
    atomic_int count = 0;
    wakeup_init(&gate);
    struct sequencer *sequencer = begin(&gate);
    assert_int_equal(wishes_create(&wishes), STATUS_OK);
    ask(&first, sequencer, &count, 80);
    ask(&second, sequencer, &count, 66);
    assert_true(wishes_make(wishes, &first.wish));
    assert_true(wishes_make(wishes, &second.wish));
    assert_int_equal(sequencer_latest(sequencer), 0);
    wakeup_raise(&gate);
    while (!wakeup_wait(&first.done, UINT64_MAX)) {
    }
    assert_int_equal(first.wish.status, STATUS_OK);
    assert_int_equal(first.wish.result.sequence, 1);
    assert_int_equal(first.wish.result.mood.bpm, 80);
    wakeup_raise(&gate);
    while (!wakeup_wait(&second.done, UINT64_MAX)) {
    }
    assert_int_equal(second.wish.status, STATUS_IO);
    assert_int_equal(sequencer_latest(sequencer), 1);
    wishes_destroy(wishes);
    sequencer_destroy(sequencer);
    wakeup_finish(&first.done);
    wakeup_finish(&second.done);
    wakeup_finish(&gate);
}

enum { MAKERS = 4, EACH = 400 };

struct maker {
    struct wishes *wishes;
    struct sequencer *sequencer;
    atomic_int *count;
    struct asker askers[EACH];
    int taken;
};

static void make_many(void *argument)
{
    struct maker *maker = argument;
    for (int i = 0; i < EACH; i++) {
        ask(&maker->askers[i], maker->sequencer, maker->count, 60 + i % 60);
        maker->taken += wishes_make(maker->wishes, &maker->askers[i].wish);
    }
}

// What was taken is answered, whenever the end comes; what comes later is not taken.
static void all_that_were_taken_are_answered_before_the_end(void **state)
{
    struct wishes *wishes;
    atomic_int count = 0;
    struct sequencer *sequencer = begin(NULL);
    struct maker *makers = calloc(MAKERS, sizeof *makers);
    struct thread threads[MAKERS];
    int taken = 0;
    assert_int_equal(wishes_create(&wishes), STATUS_OK);
    for (int i = 0; i < MAKERS; i++) {
        makers[i].wishes = wishes;
        makers[i].sequencer = sequencer;
        makers[i].count = &count;
        assert_int_equal(thread_start(&threads[i], "maker", THREAD_BACKGROUND, make_many, &makers[i]), STATUS_OK);
    }
    while (atomic_load(&count) < EACH) {
    }
    wishes_end(wishes);
    int answered = atomic_load(&count);
    for (int i = 0; i < MAKERS; i++) {
        thread_join(&threads[i]);
        taken += makers[i].taken;
    }
    assert_true(answered >= EACH);
    assert_int_equal(taken, answered);
    struct asker late;
    ask(&late, sequencer, &count, 50);
    assert_false(wishes_make(wishes, &late.wish));
    wishes_destroy(wishes);
    sequencer_destroy(sequencer);
    free(makers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_comes_true_on_another_thread_while_its_maker_goes_on),
        cmocka_unit_test(all_that_were_taken_are_answered_before_the_end),
    };
    return cmocka_run_group_tests_name("wishes", tests, NULL, NULL);
}
