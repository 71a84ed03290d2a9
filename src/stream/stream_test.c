// What is sent when: the pace, what happens to the late and the slow, and how it ends. v2, on a clock that the test
// moves.
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"
#include "stream/phases.h"
#include "stream/rig.h"
#include "wire/message.h"

static bool forty_sent(struct rig *rig)
{
    return stream_stats(rig->stream)->chunks_sent[STREAM_V2] == 40;
}

static void the_first_second_comes_at_once_and_the_rest_at_the_pace(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_t *hello = guest_json(&guest);
    struct pace pace = {.origin_ns = rig.station.origin_ns, .lead.frames = RIG_LEAD_FRAMES,
                        .delivery_frames = CHUNK_FRAMES, .phase_frames = (uint32_t)json_whole(hello, "phase_frames")};
    uint64_t frame = pace_start(&pace, RIG_NOW_NS, true);
    uint64_t burst_until = (uint64_t)json_whole(hello, "burst_until_frame");
    json_decref(hello);
    assert_int_equal(burst_until, pace_burst_until(&pace));
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    for (int i = 0; i < 10; i++, frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    guest_expect_silence(&guest);
    // Each further chunk at its time: not a millisecond before, and within the wheel's grain of it.
    for (int i = 0; i < 30; i++, frame += CHUNK_FRAMES) {
        uint64_t send_ms = (pace_send_ns(&pace, frame) + NS_PER_MS - 1) / NS_PER_MS;
        rig_advance_ms(&rig, send_ms - 1 - clock_now_ns(&rig.clock) / NS_PER_MS);
        guest_expect_silence(&guest);
        rig_advance_ms(&rig, 1);
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
        if (frame >= burst_until)
            assert_int_equal(pace_send_ns(&pace, frame), pace_due_ns(&pace, frame));
    }
    assert_true(frame > burst_until);
    guest_expect_silence(&guest);
    rig_wait(forty_sent, &rig);
    assert_int_equal(stream_stats(rig.stream)->underruns, 0);
    struct histogram lateness_ns;
    stream_lateness(rig.stream, &lateness_ns);
    assert_int_equal(lateness_ns.count, 40);
    assert_true(histogram_quantile(&lateness_ns, 1) <= NS_PER_MS);
    guest_end(&guest);
    rig_end(&rig);
}

static void a_chunk_that_is_late_is_sent_when_it_is_there(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK, 3);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, false);
    for (uint64_t i = 0; i < 3; i++)
        guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
    guest_expect_silence(&guest);
    rig_publish(&rig, RIG_LIVE_CHUNK + 3 * CHUNK_FRAMES, 1);
    rig_advance_ms(&rig, 3);
    guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + 3 * CHUNK_FRAMES);
    guest_end(&guest);
    rig_end(&rig);
}

// The format was not being made when somebody asked for it: there is a chunk's time to make the first one.
static void the_first_reader_waits_for_a_chunk(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_t *hello = guest_json(&guest);
    assert_int_equal(json_whole(hello, "first_frame"), RIG_LIVE_CHUNK + CHUNK_FRAMES);
    json_decref(hello);
    rig_publish(&rig, RIG_LIVE_CHUNK + CHUNK_FRAMES, 30);
    rig_advance_ms(&rig, 20);
    guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK + CHUNK_FRAMES);
    assert_int_equal(stream_stats(rig.stream)->skips, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// The format was not being made when somebody asked for it, and the station begins at the then live playhead.
static void what_never_comes_is_skipped(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_decref(guest_json(&guest));
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS), 1);
    rig_publish(&rig, RIG_LIVE_CHUNK + 2 * CHUNK_FRAMES, 30);
    rig_advance_ms(&rig, 200);
    json_t *skip = guest_await(&guest, "skip");
    assert_int_equal(json_whole(skip, "from_frame"), RIG_LIVE_CHUNK + CHUNK_FRAMES);
    assert_int_equal(json_whole(skip, "to_frame"), RIG_LIVE_CHUNK + 2 * CHUNK_FRAMES);
    assert_true(json_whole(skip, "burst_until_frame") > json_whole(skip, "to_frame"));
    json_decref(skip);
    guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK + 2 * CHUNK_FRAMES);
    assert_int_equal(stream_stats(rig.stream)->skips, 1);
    guest_end(&guest);
    rig_end(&rig);
}

// A listener of the slot of 5 ms that begins the period. Others come and go until one is there.
static uint64_t open_in_the_first_slot(struct rig *rig, struct guest *guest)
{
    for (;;) {
        guest_open(guest, rig, "/ws/v2", NULL, false);
        assert_int_equal(guest->status, 101);
        json_t *hello = guest_json(guest);
        uint64_t phase = (uint64_t)json_whole(hello, "phase_frames");
        json_decref(hello);
        if (phase < PHASES_SLOT_FRAMES)
            return phase;
        guest_end(guest);
    }
}

enum { CROWD = 5 };

static bool the_crowd_is_alone(struct rig *rig)
{
    return stream_listeners(rig->stream) == CROWD;
}

// Reads on until the listener's next chunk comes at its due time; the clock moves as far as that needs. Returns that
// chunk.
static uint64_t listen_until_steady(struct rig *rig, struct guest *guest, struct pace *pace)
{
    uint64_t frame = pace_start(pace, RIG_NOW_NS, true);
    guest_expect_preroll(guest, FORMAT_OPUS, frame, 16);
    while (pace_due_ns(pace, frame) < pace_send_ns(pace, frame)) {
        while (pace_send_ns(pace, frame) > clock_now_ns(&rig->clock))
            rig_advance_ms(rig, 1);
        guest_expect_chunk(guest, FORMAT_OPUS, frame);
        frame += CHUNK_FRAMES;
    }
    return frame;
}

// The one of them to whom something is said while time stands still.
static int who_is_told(const struct guest *guests)
{
    struct pollfd polled[CROWD];
    for (int i = 0; i < CROWD; i++)
        polled[i] = (struct pollfd){.fd = guests[i].fd, .events = POLLIN};
    assert_int_equal(poll(polled, CROWD, 10000), 1);
    int told = 0;
    while (!polled[told].revents)
        told++;
    return told;
}

static void a_crowd_that_was_left_behind_is_spread(void **state)
{
    struct rig rig;
    struct guest guests[CROWD];
    struct pace paces[CROWD];
    uint64_t frame = 0;
    struct stream_config config = rig_config();
    config.burst_chunks_per_second = 1000 * NS_PER_SECOND;   // nobody waits
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 60);
    for (int i = 0; i < CROWD; i++)
        paces[i] = (struct pace){.origin_ns = rig.station.origin_ns, .lead.frames = RIG_LEAD_FRAMES,
                                 .delivery_frames = CHUNK_FRAMES,
                                 .phase_frames = (uint32_t)open_in_the_first_slot(&rig, &guests[i])};
    rig_wait(the_crowd_is_alone, &rig);
    for (int i = 0; i < CROWD; i++)
        frame = listen_until_steady(&rig, &guests[i], &paces[i]);
    int told = who_is_told(guests);
    json_t *phase = guest_await(&guests[told], "phase");
    uint32_t to = (uint32_t)json_whole(phase, "phase_frames"), from = paces[told].phase_frames;
    assert_int_equal(json_whole(phase, "from_frame"), frame);
    json_decref(phase);
    assert_in_range(to, PHASES_SLOT_FRAMES, CHUNK_FRAMES - 1);
    assert_int_equal(to % PHASES_SLOT_FRAMES, from);
    paces[told].phase_frames = to;
    uint64_t due_ms = (pace_due_ns(&paces[told], frame) + NS_PER_MS - 1) / NS_PER_MS;
    rig_advance_ms(&rig, due_ms - 1 - clock_now_ns(&rig.clock) / NS_PER_MS);
    guest_expect_silence(&guests[told]);
    rig_advance_ms(&rig, 1);
    guest_expect_chunk(&guests[told], FORMAT_OPUS, frame);
    for (int i = 0; i < CROWD; i++)
        guest_end(&guests[i]);
    rig_end(&rig);
}

// Ten begin at once, and then the budget lets them have hardly more than the steady rate: their leads of ten seconds do
// not fill. They are behind for long, but that is not their links' fault.
static void who_waits_for_the_budget_is_not_slow(void **state)
{
    enum { GUESTS = 10, SECONDS = 12 };
    struct rig rig;
    struct guest guests[GUESTS];
    struct stream_config config = rig_config();
    config.burst_chunks_per_second = 5;
    rig_begin_ahead(&rig, &config, 10, 10 * FRAME_RATE);
    rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 300);
    uint64_t end_ns = clock_now_ns(&rig.clock) + SECONDS * NS_PER_SECOND;
    for (int i = 0; i < GUESTS; i++)
        guest_open(&guests[i], &rig, "/ws/v2", NULL, false);
    while (clock_now_ns(&rig.clock) < end_ns)
        for (int i = 0; i < GUESTS; i++)
            while (poll(&(struct pollfd){.fd = guests[i].fd, .events = POLLIN}, 1, i == 0) == 1)
                assert_true(guest_next(&guests[i]) >= 0);
    const struct stream_stats *stats = stream_stats(rig.stream);
    assert_true(stats->burst_waits > 0);
    assert_int_equal(stats->skips + stats->underruns, 0);
    assert_true(stats->chunks_sent[STREAM_V2] > (uint64_t)GUESTS * SECONDS * 10);
    assert_int_equal(stats->rung_changes[STREAM_RUNG_DOWN], 0);
    assert_int_equal(stats->closed_slow, 0);
    for (int i = 0; i < GUESTS; i++)
        guest_end(&guests[i]);
    rig_end(&rig);
}

static bool something_sent(struct rig *rig)
{
    return stream_stats(rig->stream)->chunks_sent[STREAM_V2] > 0;
}

// How many of the station's first PCM chunks somebody keeps.
static int chunks_kept(struct rig *rig)
{
    int kept = 0;
    for (uint64_t i = 0; i < 20; i++) {
        struct chunk *chunk = timeline_acquire(rig->station.timeline, FORMAT_PCM, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
        kept += atomic_load(&chunk->references) > 2;
        chunk_release(chunk);
    }
    return kept;
}

static bool something_is_kept(struct rig *rig)
{
    return chunks_kept(rig) > 0;
}

static bool nothing_is_kept(struct rig *rig)
{
    return chunks_kept(rig) == 0;
}

// Chunks come one after the other from a frame on, until a text does: it must be of that type. Returns it.
static json_t *expect_chunks_until(struct guest *guest, uint64_t *frame, const char *type)
{
    uint8_t chunk[RIG_CHUNK_BYTES];
    uint16_t packet_bytes[16];
    for (; guest_next(guest) == WEBSOCKET_BINARY; *frame += CHUNK_FRAMES) {
        size_t len = rig_chunk(FORMAT_PCM, *frame, chunk, packet_bytes);
        assert_true(len > guest->len);
        assert_memory_equal(chunk + len - guest->len, guest->bytes, guest->len);
    }
    json_t *message = json_loadb((const char *)guest->bytes, guest->len, 0, NULL);
    assert_string_equal(json_text(message, "type"), type);
    return message;
}

// PCM fills the socket in the first burst. Six seconds later what comes next has been heard already.
static void who_falls_behind_is_moved(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK, 130);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, true);
    rig_wait(something_sent, &rig);
    rig_advance_ms(&rig, 6000);
    json_decref(guest_json(&guest));
    uint64_t from = RIG_LIVE_CHUNK, to = RIG_LIVE_CHUNK + 60 * CHUNK_FRAMES;
    json_t *skip = expect_chunks_until(&guest, &from, "skip");
    assert_true(from > RIG_LIVE_CHUNK);
    assert_int_equal(json_whole(skip, "from_frame"), from);
    // What is live moves on while a slow machine has not turned to it.
    assert_in_range(json_whole(skip, "to_frame"), to, to + 40 * CHUNK_FRAMES);
    to = (uint64_t)json_whole(skip, "to_frame");
    json_decref(skip);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_PCM, to + i * CHUNK_FRAMES);
    assert_int_equal(stream_stats(rig.stream)->skips, 1);
    guest_end(&guest);
    rig_end(&rig);
}

static void who_does_not_read_is_closed(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, true);
    rig_wait(something_sent, &rig);
    rig_wait(rig_gave_one_up, &rig);
    assert_in_range(clock_now_ns(&rig.clock) - RIG_NOW_NS, 7 * NS_PER_SECOND, 15 * NS_PER_SECOND);
    json_t *goodbye = guest_await(&guest, "goodbye");
    assert_string_equal(json_text(goodbye, "code"), "SLOW");
    json_decref(goodbye);
    assert_int_equal(guest_close_code(&guest), 1008);
    guest_end(&guest);
    assert_int_equal(stream_stats(rig.stream)->closed_slow, 1);
    rig_end(&rig);
}

// Those who do not read keep no chunk from being used again, and still get what they were sent.
static void who_stalls_keeps_no_chunks(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK, 130);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, true);
    rig_wait(something_is_kept, &rig);
    rig_advance_ms(&rig, 1600);
    rig_wait(nothing_is_kept, &rig);
    json_decref(guest_json(&guest));
    uint64_t frame = RIG_LIVE_CHUNK;
    rig_advance_ms(&rig, 5000);   // so long a stall is forgiven
    json_decref(expect_chunks_until(&guest, &frame, "skip"));
    assert_true(frame > RIG_LIVE_CHUNK);
    guest_end(&guest);
    rig_end(&rig);
}

// What was under way when a client went was never accepted, so it was not late either.
static void what_was_not_sent_is_not_timed(void **state)
{
    struct rig rig;
    struct guest guest;
    struct histogram lateness_ns;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, true);
    rig_wait(something_is_kept, &rig);
    rig_advance_ms(&rig, 500);
    guest_end(&guest);
    rig_wait(rig_deserted, &rig);
    stream_lateness(rig.stream, &lateness_ns);
    assert_true(histogram_quantile(&lateness_ns, 1) < 100 * NS_PER_MS);
    rig_end(&rig);
}

// Why it was closed can be told to one who could not read it.
static void who_was_closed_is_told_why(void **state)
{
    struct rig rig;
    struct guest guest;
    char session[32], target[96];
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, true);
    json_t *hello = guest_json(&guest);
    assert_null(json_object_get(hello, "last_close"));
    snprintf(session, sizeof session, "%s", json_text(hello, "session"));
    json_decref(hello);
    rig_wait(rig_gave_one_up, &rig);
    guest_end(&guest);
    static const char *const others[] = {"", "&session=0123456789abcdef", "&session=x"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(target, sizeof target, "/ws/v2?format=opus%s", others[i]);
        guest_open(&guest, &rig, target, NULL, false);
        hello = guest_json(&guest);
        assert_null(json_object_get(hello, "last_close"));
        json_decref(hello);
        guest_end(&guest);
    }
    snprintf(target, sizeof target, "/ws/v2?session=%s", session);
    guest_open(&guest, &rig, target, NULL, false);
    hello = guest_json(&guest);
    assert_string_equal(json_text(json_object_get(hello, "last_close"), "code"), "SLOW");
    assert_non_null(strstr(json_text(json_object_get(hello, "last_close"), "reason"), "7 seconds"));
    json_decref(hello);
    guest_end(&guest);
    rig_end(&rig);
}

// A hundred chunks may go at once, then ten every 25 ms: ten come in, and of two more the one who returns is first.
static void bursts_wait_for_their_turn(void **state)
{
    enum { AT_ONCE = 10 };
    struct rig rig;
    struct guest guests[AT_ONCE + 2];
    struct stream_config config = rig_config();
    config.burst_chunks_per_second = 400;
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 60);
    for (int i = 0; i < AT_ONCE + 2; i++) {
        guest_open(&guests[i], &rig, i <= AT_ONCE ? "/ws/v2" : "/ws/v2?session=0123456789abcdef", NULL, false);
        json_decref(guest_await(&guests[i], "hello"));
    }
    for (int i = 0; i < AT_ONCE; i++)
        guest_expect_preroll(&guests[i], FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    guest_expect_silence(&guests[AT_ONCE]);
    guest_expect_silence(&guests[AT_ONCE + 1]);
    assert_int_equal(stream_stats(rig.stream)->burst_waits, 2);
    rig_advance_ms(&rig, 25);
    guest_expect_preroll(&guests[AT_ONCE + 1], FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    guest_expect_silence(&guests[AT_ONCE]);
    rig_advance_ms(&rig, 25);
    guest_expect_preroll(&guests[AT_ONCE], FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    for (int i = 0; i < AT_ONCE + 2; i++)
        guest_end(&guests[i]);
    rig_end(&rig);
}

static void a_drain_says_goodbye(void **state)
{
    struct rig rig;
    struct guest guest, late;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&guest, "hello"));
    stream_drain(rig.stream, "the server is stopping", 5 * NS_PER_SECOND);
    json_t *goodbye = guest_await(&guest, "goodbye");
    assert_string_equal(json_text(goodbye, "code"), "SHUTDOWN");
    assert_string_equal(json_text(goodbye, "reason"), "the server is stopping");
    assert_in_range(json_whole(goodbye, "retry_ms"), 500, 2000);
    json_decref(goodbye);
    assert_int_equal(guest_close_code(&guest), 1001);
    guest_end(&guest);
    guest_open(&late, &rig, "/ws/v2", NULL, false);
    assert_int_equal(late.status, 503);
    guest_end(&late);
    rig_end(&rig);
}

// On the real clock, all formats at once, a few hundred chunks: in order, complete, every byte right.
static void many_listeners_hear_the_same(void **state)
{
    enum { LISTENERS = 12, CHUNKS = 35 };
    struct rig rig;
    struct guest guests[LISTENERS];
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 1);
    rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 100);
    uint64_t frames[LISTENERS];
    for (int i = 0; i < LISTENERS; i++) {
        guest_open(&guests[i], &rig, i % 3 == 0 ? "/ws/v2?format=pcm" : "/ws/v2", NULL, false);
        json_t *hello = guest_json(&guests[i]);
        frames[i] = (uint64_t)json_whole(hello, "first_frame");
        json_decref(hello);
        if (i % 3 != 0)
            guest_expect_preroll(&guests[i], FORMAT_OPUS, frames[i], 16);
    }
    for (uint64_t n = 0; n < CHUNKS; n++)
        for (int i = 0; i < LISTENERS; i++)
            guest_expect_chunk(&guests[i], i % 3 == 0 ? FORMAT_PCM : FORMAT_OPUS, frames[i] + n * CHUNK_FRAMES);
    assert_int_equal(stream_stats(rig.stream)->skips, 0);
    for (int i = 0; i < LISTENERS; i++)
        guest_end(&guests[i]);
    rig_wait(rig_deserted, &rig);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_that_was_left_behind_is_spread),
        cmocka_unit_test(who_waits_for_the_budget_is_not_slow),
        cmocka_unit_test(the_first_second_comes_at_once_and_the_rest_at_the_pace),
        cmocka_unit_test(a_chunk_that_is_late_is_sent_when_it_is_there),
        cmocka_unit_test(the_first_reader_waits_for_a_chunk),
        cmocka_unit_test(what_never_comes_is_skipped),
        cmocka_unit_test(who_falls_behind_is_moved),
        cmocka_unit_test(who_does_not_read_is_closed),
        cmocka_unit_test(who_stalls_keeps_no_chunks),
        cmocka_unit_test(what_was_not_sent_is_not_timed),
        cmocka_unit_test(who_was_closed_is_told_why),
        cmocka_unit_test(bursts_wait_for_their_turn),
        cmocka_unit_test(a_drain_says_goodbye),
        cmocka_unit_test(many_listeners_hear_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
