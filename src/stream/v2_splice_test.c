// A change takes effect where listeners have sound already: who has some of that is sent it again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"
#include "stream/rig.h"

enum { FILLED = 34 };   // chunks: nearly the whole lead, wherever its phase is

static void advance_until(struct rig *rig, uint64_t frame)
{
    while (frames_from_ns(clock_now_ns(&rig->clock) - rig->station.origin_ns) < frame)
        rig_advance_ms(rig, 10);
}

// Listens until it holds about its whole lead. Returns the next chunk's frame.
static uint64_t fill(struct rig *rig, struct guest *guest, const char *target, enum format format)
{
    guest_open(guest, rig, target, NULL, false);
    json_decref(guest_await(guest, "hello"));
    if (format_is_opus(format))
        guest_expect_preroll(guest, format, RIG_LIVE_CHUNK, 16);
    uint64_t frame = RIG_LIVE_CHUNK;
    for (; frame < RIG_LIVE_CHUNK + FILLED * CHUNK_FRAMES; frame += CHUNK_FRAMES) {
        advance_until(rig, RIG_LIVE_FRAME + (frame - RIG_LIVE_CHUNK) / 2);
        guest_expect_chunk(guest, format, frame);
    }
    return frame;
}

// Changes the music. Returns the frame from which on it is another.
static uint64_t change(struct rig *rig, int bpm)
{
    struct control_result result;
    struct mood_patch patch = {.set = 1u << MOOD_ID_bpm, .values.bpm = bpm};
    assert_int_equal(sequencer_submit(rig->station.sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
    rig_set_generation((uint32_t)result.sequence);
    return control_heard_from(result.at_frame);
}

// The loop may have looked before all was published: then it looks again after some milliseconds.
static uint64_t expect_supersede(struct rig *rig, struct guest *guest, uint64_t from, uint32_t generation)
{
    json_t *supersede = guest_await(guest, "supersede");
    assert_int_equal(json_whole(supersede, "from_frame"), from);
    assert_int_equal(json_whole(supersede, "generation"), generation);
    uint64_t burst_until = (uint64_t)json_whole(supersede, "burst_until_frame");
    json_decref(supersede);
    rig_advance_ms(rig, 3);
    return burst_until;
}

// At once, as far as a second, then at twice real time, until the listener holds its lead again; without a preroll, for
// its decoder had what comes before.
static void what_a_change_makes_another_comes_again(void **state)
{
    static const char *const targets[] = {"/ws/v2", "/ws/v2?format=pcm", "/ws/v2?bitrate=32000"};
    static const enum format formats[] = {FORMAT_OPUS, FORMAT_PCM, FORMAT_OPUS_32};
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        struct guest guest;
        struct stream_config config = rig_config();
        rig_begin(&rig, &config, 0);
        rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 60);
        uint64_t held = fill(&rig, &guest, targets[i], formats[i]);
        uint64_t from = change(&rig, 90), frame = frames_round_down(from, CHUNK_FRAMES);
        assert_true(frame + 15 * CHUNK_FRAMES < held);
        uint64_t begin_ns = clock_now_ns(&rig.clock);
        rig_publish(&rig, frame, 60);
        uint64_t burst_until = expect_supersede(&rig, &guest, from, 1);
        assert_true(burst_until > held && burst_until < held + 2 * FRAME_RATE);
        for (int k = 0; k < PACE_AT_ONCE; k++, frame += CHUNK_FRAMES)
            guest_expect_chunk(&guest, formats[i], frame);
        guest_expect_silence(&guest);
        for (uint64_t k = 1; frame < burst_until; k++, frame += CHUNK_FRAMES) {
            while (clock_now_ns(&rig.clock) < begin_ns + k * PACE_STEP_NS)
                rig_advance_ms(&rig, 1);
            guest_expect_chunk(&guest, formats[i], frame);
        }
        guest_expect_silence(&guest);
        assert_int_equal(stream_stats(rig.stream)->splices, 1);
        assert_int_equal(stream_stats(rig.stream)->skips + stream_stats(rig.stream)->underruns, 0);
        guest_end(&guest);
        rig_end(&rig);
    }
}

// Changes in quick succession: what was begun for the first is left for the second, and each brings less at once.
static void a_change_leaves_the_one_before_unfinished(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    (void)fill(&rig, &guest, "/ws/v2", FORMAT_OPUS);
    for (int i = 0; i < 5; i++) {
        uint64_t from = change(&rig, 80 + i), frame = frames_round_down(from, CHUNK_FRAMES);
        rig_publish(&rig, frame, 20);
        (void)expect_supersede(&rig, &guest, from, (uint32_t)i + 1);
        for (int k = 0; k < (i == 0 ? PACE_AT_ONCE : 3); k++, frame += CHUNK_FRAMES)
            guest_expect_chunk(&guest, FORMAT_OPUS, frame);
        rig_advance_ms(&rig, 40);
        guest_expect_silence(&guest);
        rig_advance_ms(&rig, 7);
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    }
    guest_end(&guest);
    rig_end(&rig);
}

// It begins with what is there by then.
static void who_has_nothing_of_it_is_told_nothing(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    uint64_t from = change(&rig, 90);
    rig_publish(&rig, frames_round_down(from, CHUNK_FRAMES), 30);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&guest, "hello"));
    for (int i = 0; i < 11; i++)
        guest_await_binary(&guest);
    assert_int_equal(stream_stats(rig.stream)->splices, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// The station was slow, and some of it has been heard by now: it goes on at the playhead.
static void a_change_that_comes_too_late_begins_at_the_playhead(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    uint64_t held = fill(&rig, &guest, "/ws/v2", FORMAT_OPUS);
    uint64_t from = change(&rig, 90), live = frames_round_down(from, CHUNK_FRAMES) + 5 * CHUNK_FRAMES;
    assert_true(live < held);
    advance_until(&rig, live + 100);
    rig_publish(&rig, frames_round_down(from, CHUNK_FRAMES), 60);
    (void)expect_supersede(&rig, &guest, live, 1);
    guest_end(&guest);
    rig_end(&rig);
}

// It went to another bit rate meanwhile: what comes again comes in that one, and before where that began a decoder has
// nothing of it to go on from.
static void a_change_before_a_change_of_rung_has_a_preroll(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    (void)fill(&rig, &guest, "/ws/v2", FORMAT_OPUS);
    guest_say(&guest, "{\"type\":\"codec\",\"bitrate\":64000}");
    json_t *codec = guest_await(&guest, "codec");
    uint64_t at = (uint64_t)json_whole(codec, "at_frame");
    json_decref(codec);
    uint64_t from = change(&rig, 90), frame = frames_round_down(from, CHUNK_FRAMES);
    assert_true(frame < at);
    rig_publish(&rig, frame, 60);
    (void)expect_supersede(&rig, &guest, from, 1);
    guest_expect_preroll(&guest, FORMAT_OPUS_64, frame, 16);
    guest_expect_chunk(&guest, FORMAT_OPUS_64, frame);
    guest_end(&guest);
    rig_end(&rig);
}

static void who_pauses_begins_with_it(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    (void)fill(&rig, &guest, "/ws/v2", FORMAT_OPUS);
    guest_say(&guest, "{\"type\":\"pause\"}");
    guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
    json_decref(guest_await(&guest, "pong"));
    uint64_t from = change(&rig, 90);
    rig_publish(&rig, frames_round_down(from, CHUNK_FRAMES), 60);
    guest_expect_silence(&guest);
    advance_until(&rig, from + CHUNK_FRAMES);
    guest_say(&guest, "{\"type\":\"play\"}");
    json_decref(guest_await(&guest, "codec"));
    rig_advance_ms(&rig, 1);
    guest_await_binary(&guest);
    assert_int_equal(stream_stats(rig.stream)->splices, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// Comes back saying what it has. Returns where the server says that it goes on.
static uint64_t come_back(struct rig *rig, struct guest *guest, uint64_t next_frame, uint32_t generation)
{
    char target[128];
    snprintf(target, sizeof target, "/ws/v2?format=pcm&session=0123456789abcdef&next_frame=%llu&generation=%u",
             (unsigned long long)next_frame, generation);
    guest_open(guest, rig, target, NULL, false);
    json_t *hello = guest_await(guest, "hello");
    uint64_t first = (uint64_t)json_whole(hello, "first_frame");
    json_decref(hello);
    return first;
}

// What it has it is not sent again, and what it lacks it gets as at joining: a second at once, then twice real time.
static void who_comes_back_goes_on_where_it_stopped(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    uint64_t frame = RIG_LIVE_CHUNK + 7 * CHUNK_FRAMES;
    assert_int_equal(come_back(&rig, &guest, frame, 0), frame);
    for (int i = 0; i < PACE_AT_ONCE; i++, frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_PCM, frame);
    guest_expect_silence(&guest);
    rig_advance_ms(&rig, 50);
    guest_expect_chunk(&guest, FORMAT_PCM, frame);
    assert_int_equal(stream_stats(rig.stream)->resumes, 1);
    guest_end(&guest);
    rig_end(&rig);
}

// It has its whole lead: nothing is due yet.
static void who_comes_back_with_all_it_needs_is_sent_nothing(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    uint64_t frame = RIG_LIVE_CHUNK + 22 * CHUNK_FRAMES;
    assert_int_equal(come_back(&rig, &guest, frame, 0), frame);
    guest_expect_silence(&guest);
    advance_until(&rig, frame + CHUNK_FRAMES - RIG_LEAD_FRAMES);
    guest_expect_chunk(&guest, FORMAT_PCM, frame);
    guest_end(&guest);
    rig_end(&rig);
}

// Of what it has, a part has been made another while it was away; a change further on than what it has is none of its
// business.
static void who_comes_back_after_a_change_goes_back_to_it(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    uint64_t from = change(&rig, 90), chunk = frames_round_down(from, CHUNK_FRAMES);
    rig_publish(&rig, chunk, 50);
    assert_int_equal(come_back(&rig, &guest, RIG_LIVE_CHUNK + 20 * CHUNK_FRAMES, 0), chunk);
    (void)expect_supersede(&rig, &guest, from, 1);
    guest_expect_chunk(&guest, FORMAT_PCM, chunk);
    guest_end(&guest);
    assert_int_equal(come_back(&rig, &guest, chunk, 0), chunk);
    guest_end(&guest);
    uint64_t frame = RIG_LIVE_CHUNK + 20 * CHUNK_FRAMES;
    assert_int_equal(come_back(&rig, &guest, frame, 1), frame);
    guest_end(&guest);
    advance_until(&rig, chunk + 2 * CHUNK_FRAMES);
    assert_int_equal(come_back(&rig, &guest, frame, 0), chunk + 2 * CHUNK_FRAMES);
    (void)expect_supersede(&rig, &guest, chunk + 2 * CHUNK_FRAMES, 1);
    guest_end(&guest);
    rig_end(&rig);
}

// Away for longer than it had sound, or with a frame that cannot be: as a newcomer.
static void who_has_nothing_left_begins_at_the_playhead(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    static const uint64_t frames[] = {0, RIG_LIVE_CHUNK, RIG_LIVE_CHUNK + 60 * FRAME_RATE, UINT64_C(1) << 53};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        assert_int_equal(come_back(&rig, &guest, frames[i], 4000000000u), RIG_LIVE_CHUNK);
        guest_end(&guest);
    }
    assert_int_equal(stream_stats(rig.stream)->resumes, 0);
    rig_end(&rig);
}

static void a_wish_to_go_on_that_is_none_is_refused(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    static const char *const targets[] = {
        "/ws/v2?next_frame=1", "/ws/v2?generation=1", "/ws/v2?next_frame=x&generation=1",
        "/ws/v2?next_frame=-1&generation=1", "/ws/v2?next_frame=1&generation=4294967296",
        "/ws/v2?next_frame=9007199254740993&generation=1", "/ws/v2?next_frame=&generation=1",
        "/ws/v2?next_frame=99999999999999999999999999&generation=1"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        guest_open(&guest, &rig, targets[i], NULL, false);
        assert_int_equal(guest.status, 400);
        guest_end(&guest);
    }
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_change_makes_another_comes_again),
        cmocka_unit_test(a_change_leaves_the_one_before_unfinished),
        cmocka_unit_test(who_has_nothing_of_it_is_told_nothing),
        cmocka_unit_test(a_change_that_comes_too_late_begins_at_the_playhead),
        cmocka_unit_test(a_change_before_a_change_of_rung_has_a_preroll),
        cmocka_unit_test(who_pauses_begins_with_it),
        cmocka_unit_test(who_comes_back_goes_on_where_it_stopped),
        cmocka_unit_test(who_comes_back_with_all_it_needs_is_sent_nothing),
        cmocka_unit_test(who_comes_back_after_a_change_goes_back_to_it),
        cmocka_unit_test(who_has_nothing_left_begins_at_the_playhead),
        cmocka_unit_test(a_wish_to_go_on_that_is_none_is_refused),
    };
    return cmocka_run_group_tests_name("v2_splice", tests, NULL, NULL);
}
