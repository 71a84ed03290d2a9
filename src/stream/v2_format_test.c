// How clients of v2 choose a format and a bit rate, and change them, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/rig.h"

static void the_format_can_be_changed(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, false);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
    guest_say(&guest, "{\"type\":\"codec\",\"format\":\"opus\"}");
    json_t *codec = guest_await(&guest, "codec");
    assert_string_equal(json_text(codec, "format"), "opus");
    uint64_t at = (uint64_t)json_whole(codec, "at_frame");
    assert_int_equal(at, RIG_LIVE_CHUNK + 10 * CHUNK_FRAMES);
    assert_int_equal(json_whole(codec, "decoder_delay_frames"), 312);
    assert_int_equal(json_whole(codec, "bitrate"), 128000);
    json_decref(codec);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_PCM), 0);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS), 1);
    rig_advance_ms(&rig, 50);
    guest_expect_preroll(&guest, FORMAT_OPUS, at, 16);
    guest_expect_chunk(&guest, FORMAT_OPUS, at);
    guest_end(&guest);
    rig_end(&rig);
}

static void a_lower_bit_rate_can_be_asked_for_at_the_door(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?bitrate=32000&format=opus", NULL, false);
    json_t *hello = guest_json(&guest);
    assert_string_equal(json_text(hello, "format"), "opus");
    assert_int_equal(json_whole(hello, "bitrate"), 32000);
    assert_string_equal(json_text(hello, "encoder_id"), "rig 32");
    json_decref(hello);
    guest_expect_preroll(&guest, FORMAT_OPUS_32, RIG_LIVE_CHUNK, 16);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_OPUS_32, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
    guest_end(&guest);
    rig_end(&rig);
}

static void no_other_bit_rate_is_taken(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    static const char *const targets[] = {"/ws/v2?bitrate=96000", "/ws/v2?bitrate=", "/ws/v2?bitrate=64",
                                          "/ws/v2?bitrate=64000.0", "/ws/v2?bitrate=-64000",
                                          "/ws/v2?format=pcm&bitrate=1000000000000000000000000",
                                          "/ws/v2?format=opus-64"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        guest_open(&guest, &rig, targets[i], NULL, false);
        assert_int_equal(guest.status, 400);
        guest_end(&guest);
    }
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    static const char *const wishes[] = {"{\"type\":\"codec\"}", "{\"type\":\"codec\",\"bitrate\":\"64000\"}"};
    for (size_t i = 0; i < 2; i++) {
        guest_say(&guest, wishes[i]);
        json_t *error = guest_await(&guest, "error");
        assert_string_equal(json_text(error, "code"), "INVALID_MESSAGE");
        json_decref(error);
    }
    guest_end(&guest);
    rig_end(&rig);
}

// Asks for a codec, checks the answer. Returns at_frame.
static uint64_t change(struct guest *guest, const char *wish, const char *format, int bitrate, const char *encoder_id)
{
    guest_say(guest, wish);
    json_t *codec = guest_await(guest, "codec");
    assert_string_equal(json_text(codec, "format"), format);
    assert_int_equal(json_whole(codec, "bitrate"), bitrate);
    assert_string_equal(json_text(codec, "encoder_id"), encoder_id);
    uint64_t at = (uint64_t)json_whole(codec, "at_frame");
    json_decref(codec);
    return at;
}

static void the_bit_rate_can_be_changed(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_expect_preroll(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    uint64_t at = RIG_LIVE_CHUNK;
    for (; at < RIG_LIVE_CHUNK + 10 * CHUNK_FRAMES; at += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, at);
    assert_int_equal(change(&guest, "{\"type\":\"codec\",\"bitrate\":64000}", "opus", 64000, "rig 64"), at);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS), 0);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS_64), 1);
    rig_advance_ms(&rig, 50);
    guest_expect_preroll(&guest, FORMAT_OPUS_64, at, 16);
    guest_expect_chunk(&guest, FORMAT_OPUS_64, at);
    // PCM has no bit rate of its own; what was asked for last holds again after it.
    assert_int_equal(change(&guest, "{\"type\":\"codec\",\"format\":\"pcm\",\"bitrate\":32000}", "pcm", 0, ""),
                     at + CHUNK_FRAMES);
    assert_int_equal(change(&guest, "{\"type\":\"codec\",\"format\":\"opus\"}", "opus", 32000, "rig 32"),
                     at + CHUNK_FRAMES);
    rig_advance_ms(&rig, 50);
    guest_expect_preroll(&guest, FORMAT_OPUS_32, at + CHUNK_FRAMES, 16);
    guest_expect_chunk(&guest, FORMAT_OPUS_32, at + CHUNK_FRAMES);
    guest_end(&guest);
    rig_end(&rig);
}

static void the_rung_changes_once_it_has_its_chunks(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    uint64_t frame = RIG_LIVE_CHUNK;
    rig_begin(&rig, &config, 0);
    for (uint64_t i = 0; i < 60; i++)
        rig_publish_one(&rig, FORMAT_OPUS, RIG_LIVE_CHUNK + (i - 10) * CHUNK_FRAMES);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    for (uint64_t i = 0; i < 10; i++, frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    guest_say(&guest, "{\"type\":\"codec\",\"bitrate\":64000}");
    guest_expect_silence(&guest);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS), 1);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS_64), 1);
    rig_advance_ms(&rig, 100);
    for (int i = 0; i < 2; i++, frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    for (uint64_t i = 0; i < 60; i++)
        rig_publish_one(&rig, FORMAT_OPUS_64, RIG_LIVE_CHUNK + (i - 10) * CHUNK_FRAMES);
    rig_advance_ms(&rig, 50);
    json_t *codec = guest_await(&guest, "codec");
    assert_string_equal(json_text(codec, "reason"), "asked");
    assert_int_equal(json_whole(codec, "bitrate"), 64000);
    assert_int_equal(json_whole(codec, "at_frame"), frame);
    json_decref(codec);
    assert_int_equal(timeline_readers(rig.station.timeline, FORMAT_OPUS), 0);
    guest_expect_preroll(&guest, FORMAT_OPUS_64, frame, 16);
    guest_expect_chunk(&guest, FORMAT_OPUS_64, frame);
    assert_int_equal(stream_stats(rig.stream)->rung_changes[STREAM_RUNG_DOWN], 1);
    guest_end(&guest);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_format_can_be_changed),
        cmocka_unit_test(a_lower_bit_rate_can_be_asked_for_at_the_door),
        cmocka_unit_test(no_other_bit_rate_is_taken),
        cmocka_unit_test(the_bit_rate_can_be_changed),
        cmocka_unit_test(the_rung_changes_once_it_has_its_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
