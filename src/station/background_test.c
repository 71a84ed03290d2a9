// What is made in the background is what a station would have made, or would make.
#include "station/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "station/encoding.h"
#include "station/framing.h"
#include "timeline/tapes.h"
#include "wire/message.h"

enum { SEED = 11, GUARD = 9600, PATIENCE_MS = 600000 };

// A station's log, and who works in its background.
struct office {
    struct clock clock;
    struct sequencer *sequencer;
    struct tapes *tapes;
    struct errands *errands;
    struct background *background;
};

static struct office *office_begin(void)
{
    struct office *office = calloc(1, sizeof *office);
    clock_init_virtual(&office->clock, UINT64_C(1000) * NS_PER_SECOND, 0);
    office->sequencer = sequencer_create(&(struct control_config){
        .clock = &office->clock, .origin_ns = clock_now_ns(&office->clock), .guard_frames = GUARD,
        .mood = mood_default()});
    office->tapes = tapes_create();
    office->errands = errands_create();
    const struct background_station station = {.seed = SEED, .sequencer = office->sequencer};
    assert_int_equal(background_create(&office->background,
                                       &(struct background_config){.stations = &station, .station_count = 1,
                                                                   .backend = backend_best(),
                                                                   .errands = office->errands}),
                     STATUS_OK);
    return office;
}

static void office_end(struct office *office)
{
    background_destroy(office->background);
    errands_destroy(office->errands);
    tapes_destroy(office->tapes);
    sequencer_destroy(office->sequencer);
    free(office);
}

static struct mood_patch faster(int bpm)
{
    return (struct mood_patch){.set = 1u << MOOD_ID_bpm | 1u << MOOD_ID_intensity,
                               .values = {.bpm = bpm, .intensity = 0.9}};
}

// Changes the music at a time of the programme.
static void change(struct office *office, uint64_t seconds, int bpm)
{
    struct mood_patch patch = faster(bpm);
    struct control_result result;
    clock_advance(&office->clock, seconds * NS_PER_SECOND);
    assert_int_equal(sequencer_submit(office->sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
}

static struct tape *ask(struct office *office, const struct tape_subject *subject, const struct control_entry *trial)
{
    struct errand errand = {.known = trial ? trial->sequence - 1 : sequencer_latest(office->sequencer)};
    bool blank;
    if (trial)
        errand.change = *trial;
    assert_int_equal(tapes_take(office->tapes, subject, 0, &errand.tape, &blank), STATUS_OK);
    if (blank)
        assert_true(errands_ask(office->errands, &errand));
    return errand.tape;
}

static void await(struct tape *tape)
{
    for (int ms = 0; tape_state(tape) == TAPE_MAKING; ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(tape_state(tape), TAPE_WHOLE);
}

// The messages that a tape must hold, by an own render of the log and, where there is one, of a trial.
static void expect(const struct office *office, const struct tape *tape, const struct control_entry *trial)
{
    const struct tape_subject *subject = tape_subject(tape);
    const struct encoder *encoder = encoders[subject->format];
    struct mood_entry entries[8];
    size_t count = sequencer_entries(office->sequencer, 0, entries, 8);
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, &entries[0].mood), STATUS_OK);
    for (size_t i = 1; i < count && (!trial || entries[i].sequence < trial->sequence); i++)
        assert_int_equal(mood_log_copy(&log, &entries[i]), STATUS_OK);
    if (trial)
        assert_int_equal(control_append(&log, trial), STATUS_OK);
    struct program program = {.seed = SEED, .log = &log};
    struct encoding encoding;
    uint8_t *bytes = malloc(encoder->max_bytes);
    uint64_t frame = tape_begin_frame(subject);
    assert_int_equal(encoding_init(&encoding, &program, backend_best(), encoder, frame), STATUS_OK);
    for (int i = 0; i < tape_length(tape); i++, frame += CHUNK_FRAMES) {
        struct encode_output output = {.bytes = bytes};
        const struct chunk *chunk = tape_chunk(tape, i);
        assert_int_equal(encoding_next(&encoding, &output), STATUS_OK);
        assert_int_equal(chunk->first_frame, frame);
        assert_int_equal(chunk->flags, MESSAGE_ASIDE | (frame < subject->first_frame ? MESSAGE_PREROLL : 0));
        uint32_t generation = control_generation(&log, frame + CHUNK_FRAMES);
        assert_int_equal(chunk->generation, trial && generation == trial->sequence ? generation - 1 : generation);
        assert_int_equal(chunk->len - chunk->payload_offset, output.len);
        assert_memory_equal(chunk->bytes + chunk->payload_offset, bytes, output.len);
    }
    assert_int_equal(frame, subject->end_frame);
    encoding_finish(&encoding);
    mood_log_finish(&log);
    free(bytes);
}

// Before, across and behind two changes, and behind an epoch.
static void a_range_is_what_was_heard(void **state)
{
    static const enum format formats[] = {FORMAT_OPUS, FORMAT_PCM, FORMAT_OPUS_32};
    static const uint64_t seconds[] = {0, 18, 31, 604};
    struct office *office = office_begin();
    change(office, 20, 100);
    change(office, 10, 50);
    for (int i = 0; i < 4; i++) {
        struct tape_subject subject = {.format = formats[i % 3], .first_frame = seconds[i] * FRAME_RATE,
                                       .end_frame = (seconds[i] + 5) * FRAME_RATE};
        subject.generation = sequencer_view(office->sequencer, subject.end_frame).generation;
        assert_int_equal(subject.generation, i < 2 ? i : 2);
        struct tape *tape = ask(office, &subject, NULL);
        await(tape);
        expect(office, tape, NULL);
        tape_release(tape);
    }
    assert_int_equal(background_stats(office->background)->done, 4);
    office_end(office);
}

// Before, across and behind a moment from which on the programme began from silence, for nobody had listened.
static void a_waking_is_heard_again(void **state)
{
    struct office *office = office_begin();
    change(office, 40, 100);
    assert_int_equal(sequencer_wake(office->sequencer, 60 * FRAME_RATE), STATUS_OK);
    for (uint64_t second = 54; second < 70; second += 5) {
        struct tape_subject subject = {.format = FORMAT_OPUS, .first_frame = second * FRAME_RATE,
                                       .end_frame = (second + 4) * FRAME_RATE};
        struct control_view view = sequencer_view(office->sequencer, subject.end_frame);
        assert_int_equal(view.woken_frame, subject.end_frame > 60 * FRAME_RATE ? 60 * FRAME_RATE : 0);
        subject.generation = view.generation;
        struct tape *tape = ask(office, &subject, NULL);
        await(tape);
        expect(office, tape, NULL);
        tape_release(tape);
    }
    office_end(office);
}

// What is asked for is what was known then, however late its turn comes.
static void a_change_that_comes_meanwhile_is_not_in_it(void **state)
{
    struct office *office = office_begin();
    change(office, 10, 100);
    struct tape_subject far = {.format = FORMAT_OPUS, .first_frame = (uint64_t)590 * FRAME_RATE,
                               .end_frame = (uint64_t)591 * FRAME_RATE};
    struct tape_subject subject = {.format = FORMAT_PCM, .first_frame = 30 * FRAME_RATE, .end_frame = 33 * FRAME_RATE,
                                   .generation = 1};
    struct tape *slow = ask(office, &far, NULL);
    struct errand errand = {.known = 1};
    bool blank;
    assert_int_equal(tapes_take(office->tapes, &subject, 0, &errand.tape, &blank), STATUS_OK);
    change(office, 12, 50);
    assert_true(errands_ask(office->errands, &errand));
    await(errand.tape);
    for (int i = 0; i < tape_length(errand.tape); i++)
        assert_int_equal(tape_chunk(errand.tape, i)->generation, 1);
    subject.generation = 2;
    struct tape *other = ask(office, &subject, NULL);
    await(other);
    expect(office, other, NULL);
    int last = tape_length(other) - 1;
    const struct chunk *a = tape_chunk(errand.tape, last), *b = tape_chunk(other, last);
    assert_int_equal(a->len, b->len);
    assert_memory_not_equal(a->bytes + a->payload_offset, b->bytes + b->payload_offset, a->len - a->payload_offset);
    tape_release(errand.tape);
    tape_release(other);
    tape_release(slow);
    office_end(office);
}

static uint64_t sum_of(const struct chunk *chunk)
{
    uint64_t sum = 0;
    for (uint32_t i = chunk->payload_offset; i < chunk->len; i++)
        sum = sum * 31 + chunk->bytes[i];
    return sum;
}

static void a_preview_is_what_would_be_heard(void **state)
{
    struct office *office = office_begin();
    change(office, 12, 100);
    clock_advance(&office->clock, NS_PER_SECOND);
    struct mood_patch patch = faster(60);
    struct control_entry trial;
    assert_int_equal(sequencer_try(office->sequencer, &patch, &trial), STATUS_OK);
    struct tape_subject subject = {.format = FORMAT_PCM, .generation = 1,
                                   .first_frame = frames_round_down(trial.at_frame, CHUNK_FRAMES) - CHUNK_FRAMES,
                                   .end_frame = 20 * FRAME_RATE};
    struct tape *plain = ask(office, &subject, NULL);
    subject.trial = true;
    struct tape *tape = ask(office, &subject, &trial);
    await(plain);
    await(tape);
    expect(office, plain, NULL);
    expect(office, tape, &trial);
    int last = tape_length(tape) - 1;
    assert_int_equal(sum_of(tape_chunk(tape, 0)), sum_of(tape_chunk(plain, 0)));
    assert_int_not_equal(sum_of(tape_chunk(tape, last)), sum_of(tape_chunk(plain, last)));
    // It is what the change would have been, had it been made then, and none was.
    assert_int_equal(sequencer_latest(office->sequencer), 1);
    struct control_result result;
    assert_int_equal(sequencer_submit(office->sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
    assert_int_equal(result.at_frame, trial.at_frame);
    assert_int_equal(result.sequence, trial.sequence);
    tape_release(plain);
    tape_release(tape);
    office_end(office);
}

// Each gets its turn: a long way to a range does not hold up a short one.
static void a_short_errand_is_done_before_a_long_one(void **state)
{
    struct office *office = office_begin();
    struct tape_subject far = {.format = FORMAT_OPUS, .first_frame = (uint64_t)590 * FRAME_RATE,
                               .end_frame = (uint64_t)591 * FRAME_RATE};
    struct tape_subject near = {.format = FORMAT_OPUS, .first_frame = 0, .end_frame = FRAME_RATE};
    struct tape *slow = ask(office, &far, NULL), *quick = ask(office, &near, NULL);
    await(quick);
    assert_int_equal(tape_state(slow), TAPE_MAKING);
    tape_release(quick);
    tape_release(slow);
    office_end(office);
}

static void what_nobody_waits_for_is_given_up(void **state)
{
    struct office *office = office_begin();
    const struct background_stats *stats = background_stats(office->background);
    struct tape_subject far = {.format = FORMAT_OPUS, .first_frame = (uint64_t)595 * FRAME_RATE,
                               .end_frame = (uint64_t)596 * FRAME_RATE};
    tape_release(ask(office, &far, NULL));
    for (int ms = 0; atomic_load(&stats->abandoned) == 0; ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(atomic_load(&stats->under_way), 0);
    assert_int_equal(tapes_bytes(office->tapes), 0);
    office_end(office);
}

static void an_end_breaks_what_is_under_way(void **state)
{
    struct office *office = office_begin();
    struct tape *tapes[TAPES_MAKING];
    for (int i = 0; i < TAPES_MAKING; i++) {
        struct tape_subject far = {.format = FORMAT_OPUS, .first_frame = (uint64_t)(580 + i) * FRAME_RATE,
                                   .end_frame = (uint64_t)(581 + i) * FRAME_RATE};
        tapes[i] = ask(office, &far, NULL);
    }
    background_destroy(office->background);
    office->background = NULL;
    for (int i = 0; i < TAPES_MAKING; i++) {
        assert_int_equal(tape_state(tapes[i]), TAPE_BROKEN);
        tape_release(tapes[i]);
    }
    office_end(office);
}

static bool fails(const struct backend *backend, void *state, float *out)
{
    return false;
}

static void a_renderer_that_fails_breaks_its_tape(void **state)
{
    struct backend broken = *backend_best();
    broken.render_block = fails;
    struct office *office = office_begin();
    background_destroy(office->background);
    const struct background_station station = {.seed = SEED, .sequencer = office->sequencer};
    struct background_config config = {.stations = &station, .station_count = 1, .backend = &broken,
                                       .errands = office->errands};
    assert_int_equal(background_create(&office->background, &config), STATUS_OK);
    struct tape_subject subject = {.format = FORMAT_PCM, .first_frame = FRAME_RATE, .end_frame = 2 * FRAME_RATE};
    struct tape *tape = ask(office, &subject, NULL);
    for (int ms = 0; tape_state(tape) == TAPE_MAKING; ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(tape_state(tape), TAPE_BROKEN);
    tape_release(tape);
    office_end(office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_what_was_heard),
        cmocka_unit_test(a_waking_is_heard_again),
        cmocka_unit_test(a_change_that_comes_meanwhile_is_not_in_it),
        cmocka_unit_test(a_preview_is_what_would_be_heard),
        cmocka_unit_test(a_short_errand_is_done_before_a_long_one),
        cmocka_unit_test(what_nobody_waits_for_is_given_up),
        cmocka_unit_test(an_end_breaks_what_is_under_way),
        cmocka_unit_test(a_renderer_that_fails_breaks_its_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
