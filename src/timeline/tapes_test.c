// Tapes: found again by what they are of, bounded in number and bytes, gone when nobody can want them.
#include "timeline/tapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = tapes_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    tapes_destroy(*state);
    return 0;
}

static struct tape_subject subject_at(enum format format, int first, int chunks)
{
    return (struct tape_subject){.format = format, .first_frame = (uint64_t)first * CHUNK_FRAMES,
                                 .end_frame = (uint64_t)(first + chunks) * CHUNK_FRAMES};
}

static struct tape *take(struct tapes *tapes, struct tape_subject subject, bool blank)
{
    struct tape *tape = NULL;
    bool is_blank = !blank;
    assert_int_equal(tapes_take(tapes, &subject, 0, &tape, &is_blank), STATUS_OK);
    assert_int_equal(is_blank, blank);
    return tape;
}

static void append(struct tape *tape, int count, uint32_t bytes)
{
    for (int i = 0; i < count; i++) {
        struct chunk *chunk = chunk_create(bytes);
        assert_non_null(chunk);
        chunk->len = bytes;
        tape_append(tape, chunk);
    }
}

static struct tape *take_whole(struct tapes *tapes, struct tape_subject subject)
{
    struct tape *tape = take(tapes, subject, true);
    append(tape, tape_length(tape), subject.format == FORMAT_PCM ? CHUNK_FRAMES * 4 : 1600);
    assert_int_equal(tape_state(tape), TAPE_WHOLE);
    tape_end(tape);
    return tape;
}

static void what_is_there_can_be_read_while_it_is_made(void **state)
{
    struct tape *tape = take(*state, subject_at(FORMAT_PCM, 100, 3), true);
    assert_int_equal(tape_length(tape), 3);
    assert_null(tape_chunk(tape, 0));
    append(tape, 2, 50);
    assert_int_equal(tape_chunk(tape, 1)->len, 50);
    assert_null(tape_chunk(tape, 2));
    assert_int_equal(tape_state(tape), TAPE_MAKING);
    append(tape, 1, 51);
    assert_int_equal(tape_state(tape), TAPE_WHOLE);
    assert_int_equal(tape_chunk(tape, 2)->len, 51);
    assert_null(tape_chunk(tape, 3));
    tape_end(tape);
    assert_int_equal(tape_state(tape), TAPE_WHOLE);
    tape_release(tape);
}

static void opus_has_a_lead_in_as_far_as_there_is_one(void **state)
{
    static const int first[] = {0, 3, 4, 100}, lead_in[] = {0, 3, 4, 4};
    for (int i = 0; i < 4; i++) {
        struct tape_subject opus = subject_at(FORMAT_OPUS_64, first[i], 2), pcm = subject_at(FORMAT_PCM, first[i], 2);
        assert_int_equal(tape_begin_frame(&opus), (uint64_t)(first[i] - lead_in[i]) * CHUNK_FRAMES);
        assert_int_equal(tape_begin_frame(&pcm), pcm.first_frame);
        struct tape *tape = take(*state, opus, true);
        assert_int_equal(tape_length(tape), 2 + lead_in[i]);
        tape_end(tape);
        tape_release(tape);
    }
}

static void who_asks_for_the_same_gets_the_same(void **state)
{
    struct tape_subject one = subject_at(FORMAT_OPUS, 50, 10), other = one;
    struct tape *tape = take(*state, one, true);
    assert_ptr_equal(take(*state, one, false), tape);
    for (int i = 0; i < 6; i++) {
        other = one;
        other.station += i == 0;
        other.format = i == 1 ? FORMAT_OPUS_32 : one.format;
        other.first_frame -= i == 2 ? CHUNK_FRAMES : 0;
        other.end_frame += i == 3 ? CHUNK_FRAMES : 0;
        other.generation += i == 4;
        other.woken_frame += i == 5;
        struct tape *another = take(*state, other, true);
        tape_end(another);
        tape_release(another);
    }
    append(tape, tape_length(tape), 100);
    tape_end(tape);
    tape_release(tape);
    tape_release(tape);
    assert_ptr_equal(take(*state, one, false), tape);   // for a while
    tape_release(tape);
}

static void a_trial_is_like_no_other(void **state)
{
    struct tape_subject subject = subject_at(FORMAT_PCM, 50, 2);
    subject.trial = true;
    struct tape *first = take_whole(*state, subject), *second = take_whole(*state, subject);
    assert_ptr_not_equal(first, second);
    tape_release(first);
    tape_release(second);
    assert_int_equal(tapes_bytes(*state), 0);
}

static void what_is_broken_is_made_anew(void **state)
{
    struct tape_subject subject = subject_at(FORMAT_PCM, 50, 2);
    struct tape *broken = take(*state, subject, true);
    append(broken, 1, 60);
    tape_end(broken);
    assert_int_equal(tape_state(broken), TAPE_BROKEN);
    assert_non_null(tape_chunk(broken, 0));
    struct tape *anew = take_whole(*state, subject);
    assert_ptr_not_equal(anew, broken);
    tape_release(broken);
    tape_release(anew);
}

static void its_maker_learns_that_nobody_waits(void **state)
{
    struct tape_subject subject = subject_at(FORMAT_PCM, 50, 2);
    struct tape *tape = take(*state, subject, true);
    assert_false(tape_end_unwanted(tape));
    append(tape, 1, 60);
    tape_release(tape);
    assert_ptr_equal(take(*state, subject, false), tape);   // somebody comes in time
    assert_false(tape_end_unwanted(tape));
    tape_release(tape);
    assert_true(tape_end_unwanted(tape));
    assert_int_equal(tapes_bytes(*state), 0);
}

static void no_more_are_made_at_once_than_there_are_makers(void **state)
{
    struct tape *tapes[TAPES_MAKING], *one;
    bool blank;
    for (int i = 0; i < TAPES_MAKING; i++)
        tapes[i] = take(*state, subject_at(FORMAT_OPUS, 100 * i, 10), true);
    struct tape_subject subject = subject_at(FORMAT_OPUS, 9000, 10), known = subject_at(FORMAT_OPUS, 100, 10);
    assert_int_equal(tapes_take(*state, &subject, 0, &one, &blank), STATUS_FULL);
    tape_release(take(*state, known, false));
    tape_end(tapes[0]);
    one = take(*state, subject, true);
    tape_end(one);
    tape_release(one);
    for (int i = 0; i < TAPES_MAKING; i++) {
        if (i > 0)
            tape_end(tapes[i]);
        tape_release(tapes[i]);
    }
}

static void one_asker_has_not_all_of_them_made(void **state)
{
    struct tape *tapes[TAPES_MAKING_FOR_ONE], *tape;
    bool blank;
    for (int i = 0; i < TAPES_MAKING_FOR_ONE; i++) {
        struct tape_subject subject = subject_at(FORMAT_OPUS, 100 * i, 10);
        assert_int_equal(tapes_take(*state, &subject, 7, &tapes[i], &blank), STATUS_OK);
    }
    struct tape_subject more = subject_at(FORMAT_OPUS, 9000, 10);
    assert_int_equal(tapes_take(*state, &more, 7, &tape, &blank), STATUS_FULL);
    assert_int_equal(tapes_take(*state, &more, 8, &tape, &blank), STATUS_OK);
    tape_end(tape);
    tape_release(tape);
    tape_end(tapes[0]);
    tape_release(tapes[0]);
    assert_int_equal(tapes_take(*state, &more, 7, &tapes[0], &blank), STATUS_OK);
    for (int i = 0; i < TAPES_MAKING_FOR_ONE; i++) {
        tape_end(tapes[i]);
        tape_release(tapes[i]);
    }
}

// A tape that is larger than all that is kept of those drives none of them out.
static void a_large_one_goes_alone(void **state)
{
    tape_release(take_whole(*state, subject_at(FORMAT_PCM, 0, 100)));
    size_t before = tapes_bytes(*state);
    tape_release(take_whole(*state, subject_at(FORMAT_PCM, 1000, 450)));
    assert_int_equal(tapes_bytes(*state), before);
    tape_release(take(*state, subject_at(FORMAT_PCM, 0, 100), false));
}

// PCM of a minute and a bit takes 12 MB: two of them fit, and a third does not until one has gone.
static void all_together_stay_within_bounds(void **state)
{
    struct tape *first = take_whole(*state, subject_at(FORMAT_PCM, 0, 650)), *again;
    struct tape *second = take_whole(*state, subject_at(FORMAT_PCM, 1000, 650));
    struct tape_subject third = subject_at(FORMAT_PCM, 2000, 650);
    bool blank;
    assert_in_range(tapes_bytes(*state), 20 << 20, TAPES_BYTES);
    assert_int_equal(tapes_take(*state, &third, 0, &again, &blank), STATUS_FULL);
    tape_release(first);
    tape_release(take_whole(*state, third));
    tape_release(second);
    assert_int_equal(tapes_bytes(*state), 0);   // each alone is more than is kept of what nobody reads
}

static void the_oldest_that_nobody_reads_goes_first(void **state)
{
    enum { COUNT = 5, CHUNKS = 150 };   // 3 MB each, of which 8 are kept
    for (int i = 0; i < COUNT; i++)
        tape_release(take_whole(*state, subject_at(FORMAT_PCM, 1000 * i, CHUNKS)));
    assert_in_range(tapes_bytes(*state), 4 << 20, TAPES_IDLE_BYTES);
    for (int i = COUNT - 2; i < COUNT; i++)
        tape_release(take(*state, subject_at(FORMAT_PCM, 1000 * i, CHUNKS), false));
    struct tape *gone = take(*state, subject_at(FORMAT_PCM, 0, CHUNKS), true);
    tape_end(gone);
    tape_release(gone);
}

// Half-sent chunks are.
static void a_chunk_may_outlive_its_tape(void **state)
{
    struct tape_subject subject = subject_at(FORMAT_PCM, 50, 1);
    subject.trial = true;
    struct tape *tape = take_whole(*state, subject);
    struct chunk *chunk = tape_chunk(tape, 0);
    chunk_retain(chunk);
    tape_release(tape);
    assert_int_equal(chunk->len, CHUNK_FRAMES * 4);
    chunk_release(chunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_can_be_read_while_it_is_made, setup, teardown),
        cmocka_unit_test_setup_teardown(opus_has_a_lead_in_as_far_as_there_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(who_asks_for_the_same_gets_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_trial_is_like_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_broken_is_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(its_maker_learns_that_nobody_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_are_made_at_once_than_there_are_makers, setup, teardown),
        cmocka_unit_test_setup_teardown(one_asker_has_not_all_of_them_made, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_one_goes_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(all_together_stay_within_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_that_nobody_reads_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chunk_may_outlive_its_tape, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
