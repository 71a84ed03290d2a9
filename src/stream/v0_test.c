// Protocol v0 as its clients meet it, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/legacy_rig.h"

static void v0_connects_and_bursts(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/stream", false);
    json_t *hello = guest_json(&guest);
    assert_string_equal(json_text(hello, "type"), "connected");
    assert_true(strlen(json_text(hello, "message")) > 0);
    assert_int_equal(json_whole(hello, "sample_rate"), 44100);
    assert_int_equal(json_whole(hello, "chunk_size_ms"), 100);
    json_decref(hello);
    uint64_t frame = LEGACY_FIRST_FRAME;
    for (int n = 0; n < 5; n++, frame += CHUNK_FRAMES) {
        json_t *audio = legacy_expect_audio(&guest, frame, n);
        assert_int_equal(json_whole(audio, "timestamp"), (json_int_t)(legacy_due_s(frame, 500) * 1000 + .5));
        json_decref(audio);
    }
    legacy_expect_silence(&guest);
    guest_end(&guest);
    rig_end(&rig);
}

static void v0_answers(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 40, "/ws/stream", false);
    guest_say(&guest, "{\"type\":\"ping\",\"client_time\":1700000000123}");
    json_t *pong = guest_await(&guest, "pong");
    assert_int_equal(json_whole(pong, "client_time"), 1700000000123);
    assert_int_equal(json_whole(pong, "server_time"), RIG_UNIX_NS / 1000000);
    json_decref(pong);
    guest_say(&guest, "{\"type\":\"buffer_status\"}");
    json_t *status = guest_await(&guest, "buffer_status");
    assert_float_equal(json_real_of(status, "depth_ms"), 575, 1e-6);
    assert_string_equal(json_text(status, "current_tier"), "normal");
    assert_int_equal(json_whole(status, "current_depth_chunks"), 6);
    assert_int_equal(json_whole(status, "target_depth_chunks"), 5);
    assert_float_equal(json_real_of(status, "jitter_ms"), 0, 1e-9);
    assert_float_equal(json_real_of(status, "underrun_rate"), 0, 1e-9);
    assert_string_equal(json_text(status, "health_status"), "healthy");
    json_decref(status);
    guest_say(&guest, "{\"type\":\"control\",\"bpm\":0}");
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "error_code"), "INVALID_PARAMETERS");
    assert_true(json_is_true(json_object_get(error, "recoverable")));
    assert_non_null(strstr(json_text(error, "message"), "bpm"));
    json_decref(error);
    guest_end(&guest);
    rig_end(&rig);
}

static void v0_is_told_of_changes_by_anyone(void **state)
{
    struct rig rig;
    struct guest one, other;
    legacy_rig_open(&rig, &one, 40, "/ws/stream", false);
    guest_open(&other, &rig, "/ws/stream", NULL, false);
    json_decref(guest_await(&one, "connected"));
    json_decref(guest_await(&other, "connected"));
    guest_say(&one, "{\"type\":\"control\",\"harmonic_density\":0.9,\"chord_progression_variety\":0.1}");
    json_t *ack = guest_await(&one, "control_ack");
    assert_true(strlen(json_text(ack, "message")) > 0);
    assert_int_equal(json_array_size(json_object_get(ack, "updated_fields")), 2);
    json_decref(ack);
    rig_advance_ms(&rig, 101);
    struct guest *both[] = {&one, &other};
    for (int i = 0; i < 2; i++) {
        json_t *status = guest_await(both[i], "status");
        assert_string_equal(json_text(status, "message"), "Parameters updated");
        assert_float_equal(json_real_of(json_object_get(status, "parameters"), "harmonic_density"), .9, 1e-12);
        assert_int_equal(json_array_size(json_object_get(status, "warnings")), 1);
        json_decref(status);
    }
    guest_end(&one);
    guest_end(&other);
    rig_end(&rig);
}

static void v0_gets_silence_for_audio_that_cannot_be_had(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 11, "/ws/stream", false);
    uint64_t frame = LEGACY_FIRST_FRAME;
    int n = 0;
    for (; n < 10; n++, frame += CHUNK_FRAMES) {
        json_decref(legacy_expect_audio(&guest, frame, n));
        if (n >= 4)
            rig_advance_ms(&rig, 100);
    }
    legacy_expect_silence(&guest);
    // Its five chunks are all but played: a warning, once, and silence as long as what it stands for.
    rig_advance_ms(&rig, 480);
    json_t *warning = guest_json(&guest);
    assert_string_equal(json_text(warning, "type"), "warning");
    assert_true(strlen(json_text(warning, "message")) > 0);
    json_decref(warning);
    for (int i = 0; i < 2; i++, n++, frame += CHUNK_FRAMES) {
        json_t *audio = guest_json(&guest);
        assert_string_equal(json_text(audio, "type"), "audio");
        assert_int_equal(json_whole(audio, "sequence"), n);
        const char *data = json_text(audio, "data");
        assert_int_equal(strlen(data), 23520);
        assert_int_equal(strspn(data, "A"), 23520);
        json_decref(audio);
        rig_advance_ms(&rig, 100);
    }
    guest_end(&guest);
    rig_end(&rig);
}

// As after the machine was asleep: what there is lies in the past, what is due is not rendered yet.
static void v0_that_the_server_left_waiting_goes_on_at_the_playhead(void **state)
{
    struct rig rig;
    struct guest guest;
    legacy_rig_open(&rig, &guest, 30, "/ws/stream", false);
    uint64_t frame = legacy_hear_a_second(&rig, &guest);
    json_decref(legacy_expect_audio(&guest, frame, 15));
    rig_advance_ms(&rig, 15000);
    for (int i = 0; i < 2; i++) {
        json_t *warning = guest_json(&guest);
        assert_string_equal(json_text(warning, "type"), "warning");
        json_decref(warning);
        if (i == 0)
            rig_advance_ms(&rig, 60);
    }
    json_t *audio = guest_json(&guest);
    assert_int_equal(json_whole(audio, "sequence"), 16);
    assert_int_equal(strspn(json_text(audio, "data"), "A"), 23520);
    json_decref(audio);
    legacy_expect_silence(&guest);
    guest_end(&guest);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v0_connects_and_bursts),
        cmocka_unit_test(v0_answers),
        cmocka_unit_test(v0_is_told_of_changes_by_anyone),
        cmocka_unit_test(v0_gets_silence_for_audio_that_cannot_be_had),
        cmocka_unit_test(v0_that_the_server_left_waiting_goes_on_at_the_playhead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
