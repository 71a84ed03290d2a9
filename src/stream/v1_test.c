// Protocol v1 as its clients meet it, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/legacy_rig.h"

static void v1_establishes_and_bursts_its_target(void **state)
{
    static const struct {
        const char *name;
        int target_ms;
    } tiers[] = {{"minimal", 300}, {"normal", 500}, {"stable", 800}, {"defensive", 1200}};
    for (size_t i = 0; i < 4; i++) {
        struct rig rig;
        struct guest guest;
        char target[64];
        snprintf(target, sizeof target, "/ws/audio/me?buffer_tier=%s", tiers[i].name);
        legacy_rig_open(&rig, &guest, 40, target, false);
        json_t *hello = guest_json(&guest);
        assert_string_equal(json_text(hello, "type"), "connection_established");
        assert_string_equal(json_text(hello, "client_id"), "me");
        assert_true(json_is_real(json_object_get(hello, "server_time")));
        assert_float_equal(json_real_of(hello, "server_time"), RIG_UNIX_NS / 1e9, 1e-3);
        assert_string_equal(json_text(hello, "server_version"), "0.1.0");
        const json_t *config = json_object_get(hello, "buffer_config");
        assert_string_equal(json_text(config, "initial_tier"), tiers[i].name);
        assert_int_equal(json_whole(config, "target_buffer_ms"), tiers[i].target_ms);
        assert_int_equal(json_whole(config, "chunk_duration_ms"), 100);
        assert_int_equal(json_whole(config, "samples_per_chunk"), 8820);
        json_decref(hello);
        uint64_t frame = LEGACY_FIRST_FRAME;
        for (int n = 0; n < tiers[i].target_ms / 100; n++, frame += CHUNK_FRAMES) {
            json_t *audio = legacy_expect_audio(&guest, frame, n);
            assert_int_equal(json_whole(audio, "chunk_id"), n);
            assert_true(json_is_real(json_object_get(audio, "timestamp")));
            assert_float_equal(json_real_of(audio, "timestamp"), legacy_due_s(frame, tiers[i].target_ms), 1e-5);
            assert_int_equal(json_whole(audio, "buffer_depth"), 40 - 1 - n);
            assert_string_equal(json_text(audio, "current_tier"), tiers[i].name);
            json_decref(audio);
        }
        legacy_expect_silence(&guest);
        assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_LEGACY), 1);
        guest_end(&guest);
        rig_end(&rig);
    }
}

static bool all_sent(struct rig *rig)
{
    return stream_stats(rig->stream)->chunks_sent[STREAM_V1] == 25;
}

static void then_one_chunk_each_period(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    json_decref(guest_json(&guest));
    uint64_t frame = LEGACY_FIRST_FRAME;
    for (int n = 0; n < 5; n++, frame += CHUNK_FRAMES)
        json_decref(legacy_expect_audio(&guest, frame, n));
    // The live playhead stands 25 ms into its chunk.
    rig_advance_ms(&rig, 74);
    for (int n = 5; n < 25; n++, frame += CHUNK_FRAMES) {
        legacy_expect_silence(&guest);
        rig_advance_ms(&rig, 1);
        json_decref(legacy_expect_audio(&guest, frame, n));
        rig_advance_ms(&rig, 99);
    }
    legacy_expect_silence(&guest);
    const struct stream_stats *stats = stream_stats(rig.stream);
    struct histogram lateness_ns;
    rig_wait(all_sent, &rig);
    stream_lateness(rig.stream, &lateness_ns);
    assert_int_equal(lateness_ns.count, 20);
    assert_int_equal(stats->jitter_ns.count, 19);
    assert_true(histogram_quantile(&stats->jitter_ns, 1) <= 2 * NS_PER_MS);
    assert_int_equal(stats->underruns, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// On a quiet line fifty chunks move it down a tier: the client plays what it holds for 200 ms, then goes on.
static void a_quiet_listener_moves_down(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 80, "/ws/audio/me", false);
    uint64_t frame = LEGACY_FIRST_FRAME;
    int n = 0;
    for (; n < 55; n++, frame += CHUNK_FRAMES) {
        json_t *audio = legacy_expect_audio(&guest, frame, n);
        assert_string_equal(json_text(audio, "current_tier"), "normal");
        json_decref(audio);
        rig_advance_ms(&rig, n < 4 ? 0 : 100);
    }
    rig_advance_ms(&rig, 200);
    json_t *audio = legacy_expect_audio(&guest, frame, n);
    assert_string_equal(json_text(audio, "current_tier"), "minimal");
    assert_float_equal(json_real_of(audio, "timestamp"), legacy_due_s(frame, 300), 1e-5);
    json_decref(audio);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_reports_every_five_seconds(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 130, "/ws/audio/some-client?buffer_tier=minimal", false);
    for (int n = 0; n < 3; n++)
        json_decref(guest_await(&guest, "audio"));
    rig_advance_ms(&rig, 75);
    for (int n = 0, chunks = 3; n < 2; n++) {
        for (int i = 0; i < 50; i++, chunks++) {
            json_decref(guest_await(&guest, "audio"));
            rig_advance_ms(&rig, 100);
        }
        json_t *status = guest_await(&guest, "buffer_status");
        assert_string_equal(json_text(status, "client_id"), "some-client");
        assert_float_equal(json_real_of(status, "timestamp"), RIG_UNIX_NS / 1e9 + (n + 1) * 5, .11);
        const json_t *health = json_object_get(status, "buffer_health");
        assert_int_equal(json_whole(health, "current_depth_chunks"), 3);
        assert_int_equal(json_whole(health, "target_depth_chunks"), 3);
        assert_string_equal(json_text(health, "current_tier"), "minimal");
        assert_true(json_real_of(health, "jitter_ms") < 3);
        assert_float_equal(json_real_of(health, "underrun_rate"), 0, 1e-9);
        assert_string_equal(json_text(health, "health_status"), "healthy");
        const json_t *performance = json_object_get(status, "performance");
        assert_int_equal(json_whole(performance, "chunks_sent"), chunks);
        assert_true(json_whole(performance, "bytes_sent") > chunks * 23520);
        assert_int_equal(json_whole(performance, "underruns"), 0);
        assert_float_equal(json_real_of(performance, "connection_uptime_sec"), (n + 1) * 5, .11);
        json_decref(status);
    }
    guest_end(&guest);
    rig_end(&rig);
}

static void a_tier_can_be_asked_for(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = LEGACY_FIRST_FRAME;
    int n = 0;
    for (; n < 5; n++, frame += CHUNK_FRAMES)
        json_decref(legacy_expect_audio(&guest, frame, n));
    guest_say(&guest, "{\"type\":\"buffer_control\",\"requested_tier\":\"defensive\",\"timestamp\":1.5}");
    json_t *ack = guest_json(&guest);
    assert_string_equal(json_text(ack, "type"), "buffer_control_ack");
    assert_string_equal(json_text(ack, "previous_tier"), "normal");
    assert_string_equal(json_text(ack, "new_tier"), "defensive");
    assert_float_equal(json_real_of(ack, "timestamp"), RIG_UNIX_NS / 1e9, 1e-3);
    json_decref(ack);
    rig_advance_ms(&rig, 1);
    for (; n < 12; n++, frame += CHUNK_FRAMES) {
        json_t *audio = legacy_expect_audio(&guest, frame, n);
        assert_string_equal(json_text(audio, "current_tier"), "defensive");
        json_decref(audio);
    }
    legacy_expect_silence(&guest);
    guest_say(&guest, "{\"type\":\"buffer_control\",\"requested_tier\":\"minimal\"}");
    json_t *error = guest_json(&guest);
    assert_string_equal(json_text(error, "error_code"), "RATE_LIMIT_EXCEEDED");
    assert_string_equal(json_text(error, "severity"), "warning");
    json_decref(error);
    rig_advance_ms(&rig, 1000);
    guest_say(&guest, "{\"type\":\"buffer_control\",\"requested_tier\":\"minimal\"}");
    json_decref(guest_await(&guest, "buffer_control_ack"));
    guest_end(&guest);
    rig_end(&rig);
}

static bool something_sent(struct rig *rig)
{
    return stream_stats(rig->stream)->chunks_sent[STREAM_V1] > 0;
}

// Reads nothing while its socket fills, then all: what was past is left out, and it is told.
static void v1_that_falls_behind_is_moved(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 150, "/ws/audio/me?buffer_tier=defensive", true);
    rig_wait(something_sent, &rig);
    rig_advance_ms(&rig, 9000);
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "BUFFER_OVERRUN");
    assert_true(strlen(json_text(error, "error_message")) > 0);
    assert_string_equal(json_text(error, "severity"), "warning");
    assert_true(json_is_real(json_object_get(error, "timestamp")));
    json_decref(error);
    uint8_t wanted[RIG_CHUNK_BYTES];
    rig_chunk(FORMAT_LEGACY, LEGACY_FIRST_FRAME + 90 * CHUNK_FRAMES, wanted, NULL);
    json_t *audio = guest_await(&guest, "audio");
    assert_memory_equal(json_text(audio, "data"), wanted, 23520);
    json_decref(audio);
    assert_int_equal(stream_stats(rig.stream)->skips, 1);
    assert_true(stream_stats(rig.stream)->underruns >= 1);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_that_does_not_read_is_closed(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me?buffer_tier=defensive", true);
    rig_wait(something_sent, &rig);
    rig_wait(rig_gave_one_up, &rig);
    assert_in_range(clock_now_ns(&rig.clock) - RIG_NOW_NS, 7 * NS_PER_SECOND, 15 * NS_PER_SECOND);
    assert_int_equal(guest_close_code(&guest), 1008);
    guest_end(&guest);
    rig_wait(rig_deserted, &rig);
    assert_int_equal(stream_stats(rig.stream)->closed_slow, 1);
    rig_end(&rig);
}

static void persistent_underruns_close(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 5, "/ws/audio/me?buffer_tier=minimal", false);
    uint64_t frame = LEGACY_FIRST_FRAME;
    int n = 0;
    for (; n < 4; n++, frame += CHUNK_FRAMES) {
        json_decref(legacy_expect_audio(&guest, frame, n));
        if (n == 2)
            rig_advance_ms(&rig, 75);
    }
    // Each chunk is published 60 ms after the client has run out of sound, until the server has had enough.
    rig_advance_ms(&rig, 435);
    bool over = false;
    for (; !over; frame += CHUNK_FRAMES) {
        rig_publish(&rig, frame, 1);
        rig_advance_ms(&rig, 25);
        bool heard = false;
        while (!heard && !over) {
            json_t *message = guest_json(&guest);
            heard = strcmp(json_text(message, "type"), "audio") == 0;
            over = !heard && strcmp(json_text(message, "error_code"), "PERSISTENT_UNDERRUNS") == 0;
            json_decref(message);
        }
        rig_advance_ms(&rig, 75);
    }
    assert_int_equal(guest_close_code(&guest), 1008);
    assert_int_equal(stream_stats(rig.stream)->underruns, 11);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_refuses_broken_messages_and_closes_at_the_third(void **state)
{
    static const char *const broken[] = {
        "{", "[1]", "{\"type\":\"hello\"}", "{\"type\":\"buffer_control\",\"requested_tier\":\"huge\"}",
        "{\"type\":\"buffer_control\"}",
    };
    struct rig rig;
    legacy_rig_begin(&rig, 20);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct guest guest;
        guest_open(&guest, &rig, "/ws/audio/me", NULL, false);
        for (int n = 0; n < 3; n++) {
            guest_say(&guest, broken[i]);
            json_t *error = guest_await(&guest, "error");
            assert_string_equal(json_text(error, "error_code"), "INVALID_MESSAGE");
            assert_string_equal(json_text(error, "severity"), "error");
            json_decref(error);
        }
        assert_int_equal(guest_close_code(&guest), 1008);
        guest_end(&guest);
    }
    char longest[1026];
    memset(longest, ' ', 1025);
    longest[1025] = '\0';
    struct guest guest;
    guest_open(&guest, &rig, "/ws/audio/me", NULL, false);
    guest_say(&guest, longest);
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "INVALID_MESSAGE");
    json_decref(error);
    assert_int_equal(guest_close_code(&guest), 1009);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_takes_controls(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 20, "/ws/audio/me", false);
    guest_say(&guest, "{\"type\":\"control\",\"bpm\":100,\"key\":\"C# minor\"}");
    json_t *ack = guest_await(&guest, "control_ack");
    assert_int_equal(json_array_size(json_object_get(ack, "updated_fields")), 2);
    json_decref(ack);
    guest_say(&guest, "{\"type\":\"control\",\"bpm\":\"100\"}");
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "INVALID_PARAMETERS");
    assert_non_null(strstr(json_text(error, "message"), "bpm"));
    assert_non_null(strstr(json_text(error, "error_message"), "bpm"));
    assert_true(json_is_true(json_object_get(error, "recoverable")));
    json_decref(error);
    assert_int_equal(sequencer_latest(rig.station.sequencer), 1);
    guest_end(&guest);
    rig_end(&rig);
}

static void a_station_that_failed_closes_v1(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 80, "/ws/audio/me", false);
    json_decref(legacy_expect_audio(&guest, LEGACY_FIRST_FRAME, 0));
    timeline_set_state(rig.station.timeline, TIMELINE_FAILED);
    rig_advance_ms(&rig, 200);
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "SERVER_OVERLOAD");
    json_decref(error);
    assert_int_equal(guest_close_code(&guest), 1011);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_is_warned_and_served_until_the_end(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 80, "/ws/audio/me", false);
    uint64_t frame = LEGACY_FIRST_FRAME;
    int n = 0;
    for (; n < 5; n++, frame += CHUNK_FRAMES)
        json_decref(legacy_expect_audio(&guest, frame, n));
    stream_drain(rig.stream, "the server is stopping", 5 * NS_PER_SECOND);
    json_t *warning = guest_json(&guest);
    assert_string_equal(json_text(warning, "type"), "shutdown_warning");
    assert_string_equal(json_text(warning, "reason"), "the server is stopping");
    assert_float_equal(json_real_of(warning, "drain_period_sec"), 5, 1e-9);
    assert_true(json_is_real(json_object_get(warning, "timestamp")));
    json_decref(warning);
    for (; n < 50; n++, frame += CHUNK_FRAMES) {
        rig_advance_ms(&rig, 100);
        json_decref(legacy_expect_audio(&guest, frame, n));
    }
    rig_advance_ms(&rig, 600);
    assert_int_equal(guest_close_code(&guest), 1000);
    guest_end(&guest);
    rig_end(&rig);
}

static void v1_that_the_server_left_waiting_goes_on_at_the_playhead(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 30, "/ws/audio/me?buffer_tier=normal", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    rig_advance_ms(&rig, 18000);
    json_t *status = guest_json(&guest);
    assert_string_equal(json_text(status, "type"), "buffer_status");
    json_decref(status);
    json_t *error = guest_json(&guest);
    assert_string_equal(json_text(error, "error_code"), "SERVER_OVERLOAD");
    json_decref(error);
    legacy_expect_silence(&guest);
    frame += 181 * CHUNK_FRAMES;
    rig_publish(&rig, frame - 10 * CHUNK_FRAMES, 15);
    rig_advance_ms(&rig, 20);
    error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "BUFFER_OVERRUN");
    json_decref(error);
    json_decref(guest_await(&guest, "audio"));
    assert_int_equal(stream_stats(rig.stream)->underruns, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// What it holds stays as it was; its next chunk leads over, and from then on it hears the change.
static void v1_is_led_over_to_a_change(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame - 2 * CHUNK_FRAMES, 20, 1);
    rig_advance_ms(&rig, 100);
    legacy_expect_join(&guest, frame, 0, 1);
    frame += CHUNK_FRAMES;
    rig_advance_ms(&rig, 100);
    json_decref(legacy_expect_audio(&guest, frame, 17));
    guest_end(&guest);
    rig_end(&rig);
}

// It leads over from what the listener was to hear, however many changes there have been since; but not before it is
// known what comes after, since the next change may come before that.
static void changes_in_a_row_lead_over_without_a_step(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame - CHUNK_FRAMES, 20, 1);
    legacy_publish_other(&rig, frame - CHUNK_FRAMES, 2, 2);
    rig_advance_ms(&rig, 100);
    legacy_expect_silence(&guest);
    rig_advance_ms(&rig, 5);
    legacy_expect_silence(&guest);
    legacy_publish_other(&rig, frame + CHUNK_FRAMES, 20, 2);
    rig_advance_ms(&rig, 3);
    legacy_expect_join(&guest, frame, 0, 2);
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame, 20, 3);
    rig_advance_ms(&rig, 92);
    legacy_expect_join(&guest, frame, 2, 3);
    guest_end(&guest);
    rig_end(&rig);
}

// The chunk after it had no room and will not come, so nobody waits for it.
static void a_hole_behind_it_is_not_waited_for(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame - CHUNK_FRAMES, 2, 1);
    legacy_publish_other(&rig, frame + 2 * CHUNK_FRAMES, 20, 1);
    rig_advance_ms(&rig, 100);
    legacy_expect_join(&guest, frame, 0, 1);
    guest_end(&guest);
    rig_end(&rig);
}

// A renderer that is too slow for all the changes: what is there goes out before the client has nothing left, and if
// nothing is, what was to come does.
static void rather_something_than_nothing(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame - CHUNK_FRAMES, 2, 1);
    rig_advance_ms(&rig, 100);
    legacy_expect_silence(&guest);
    rig_advance_ms(&rig, 460);
    legacy_expect_join(&guest, frame, 0, 1);
    frame += CHUNK_FRAMES;
    legacy_publish_other(&rig, frame - 3 * CHUNK_FRAMES, 12, 2);
    rig_advance_ms(&rig, 5);
    json_decref(legacy_expect_audio(&guest, frame, 17));
    frame += CHUNK_FRAMES;
    guest_end(&guest);
    rig_end(&rig);
}

// Where a change begins in a chunk that has not been sent, and was not to be next, nothing has to lead over.
static void a_change_that_begins_later_is_simply_heard(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/audio/me", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    legacy_publish_other(&rig, frame + 3 * CHUNK_FRAMES, 20, 1);
    for (int n = 1; n < 5; n++) {
        rig_advance_ms(&rig, 100);
        rig_set_generation(n >= 3);
        json_decref(legacy_expect_audio(&guest, frame + (uint64_t)n * CHUNK_FRAMES, 15 + n));
    }
    guest_end(&guest);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_establishes_and_bursts_its_target),
        cmocka_unit_test(then_one_chunk_each_period),
        cmocka_unit_test(a_quiet_listener_moves_down),
        cmocka_unit_test(v1_reports_every_five_seconds),
        cmocka_unit_test(a_tier_can_be_asked_for),
        cmocka_unit_test(v1_that_falls_behind_is_moved),
        cmocka_unit_test(v1_that_does_not_read_is_closed),
        cmocka_unit_test(persistent_underruns_close),
        cmocka_unit_test(v1_refuses_broken_messages_and_closes_at_the_third),
        cmocka_unit_test(v1_takes_controls),
        cmocka_unit_test(a_station_that_failed_closes_v1),
        cmocka_unit_test(v1_is_warned_and_served_until_the_end),
        cmocka_unit_test(v1_that_the_server_left_waiting_goes_on_at_the_playhead),
        cmocka_unit_test(v1_is_led_over_to_a_change),
        cmocka_unit_test(changes_in_a_row_lead_over_without_a_step),
        cmocka_unit_test(a_hole_behind_it_is_not_waited_for),
        cmocka_unit_test(rather_something_than_nothing),
        cmocka_unit_test(a_change_that_begins_later_is_simply_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
