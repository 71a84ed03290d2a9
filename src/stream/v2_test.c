// What v2 says, asks and answers, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"
#include "stream/rig.h"

static void hello_is_first_and_complete(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?station=main&format=opus", "Sec-WebSocket-Protocol: a, auralis-v2\r\n", false);
    assert_int_equal(guest.status, 101);
    assert_non_null(strstr(guest.head, "auralis-v2"));
    json_t *hello = guest_json(&guest);
    assert_string_equal(json_text(hello, "type"), "hello");
    assert_int_equal(json_whole(hello, "protocol"), 2);
    assert_string_equal(json_text(hello, "version"), "0.1.0");
    assert_string_equal(json_text(hello, "station"), "main");
    assert_int_equal(strlen(json_text(hello, "session")), 16);
    assert_string_equal(json_text(hello, "seed"), "18446744073709551615");
    assert_int_equal(json_whole(hello, "rate"), 48000);
    assert_int_equal(json_whole(hello, "chunk_frames"), 4800);
    assert_int_equal(json_whole(hello, "packet_frames"), 960);
    assert_float_equal(json_real_of(hello, "time_ms"), 60025, 1e-6);
    assert_float_equal(json_real_of(hello, "origin_unix_ms"), 1700000000000.0 - 60025, .1);
    assert_int_equal(json_whole(hello, "lead_frames"), RIG_LEAD_FRAMES);
    assert_int_equal(json_whole(hello, "guard_frames"), 9600);
    assert_int_equal(json_whole(hello, "delivery_frames"), 4800);
    assert_in_range(json_whole(hello, "phase_frames"), 0, 4799);
    assert_int_equal(json_whole(hello, "generation"), 0);
    assert_string_equal(json_text(hello, "format"), "opus");
    assert_int_equal(json_array_size(json_object_get(hello, "formats")), 2);
    assert_int_equal(json_whole(hello, "bitrate"), 128000);
    const json_t *bitrates = json_object_get(hello, "bitrates");
    assert_int_equal(json_array_size(bitrates), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(json_integer_value(json_array_get(bitrates, i)), 128000 >> i);
    assert_int_equal(json_whole(hello, "decoder_delay_frames"), 312);
    assert_string_equal(json_text(hello, "encoder_id"), "rig 128");
    assert_int_equal(json_whole(hello, "first_frame"), RIG_LIVE_CHUNK);
    assert_int_equal(json_whole(hello, "burst_until_frame") % CHUNK_FRAMES, 0);
    assert_int_equal(json_whole(hello, "sequence"), 0);
    assert_int_equal(json_whole(json_object_get(hello, "parameters"), "bpm"), 70);
    json_decref(hello);
    guest_end(&guest);
    rig_end(&rig);
}

static void pcm_needs_no_preroll(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, false);
    json_t *hello = guest_json(&guest);
    assert_string_equal(json_text(hello, "format"), "pcm");
    assert_int_equal(json_whole(hello, "bitrate"), 0);
    assert_int_equal(json_whole(hello, "decoder_delay_frames"), 0);
    json_decref(hello);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
    guest_expect_silence(&guest);
    guest_end(&guest);
    rig_end(&rig);
}

static void preroll_is_what_history_there_is(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK - 2 * CHUNK_FRAMES, 12);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_expect_preroll(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK, 10);
    guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK);
    guest_end(&guest);
    rig_end(&rig);
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK, 12);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK);
    guest_end(&guest);
    rig_end(&rig);
}

static void pong_gives_back_what_came(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_say(&guest, "{\"type\":\"ping\",\"t0\":1763701234567.8911,\"more\":1}");
    json_t *pong = guest_await(&guest, "pong");
    assert_true(json_real_of(pong, "t0") == 1763701234567.8911);
    assert_float_equal(json_real_of(pong, "t1_ms"), 60025, 1e-6);
    assert_float_equal(json_real_of(pong, "t2_ms"), 60025, 1e-6);
    json_decref(pong);
    guest_say(&guest, "{\"type\":\"ping\",\"t0\":9007199254740993}");
    pong = guest_await(&guest, "pong");
    assert_int_equal(json_whole(pong, "t0"), 9007199254740993);
    json_decref(pong);
    guest_end(&guest);
    rig_end(&rig);
}

static void a_control_is_acknowledged_and_everybody_is_told(void **state)
{
    struct rig rig;
    struct guest one, other;
    rig_begin_usual(&rig);
    guest_open(&one, &rig, "/ws/v2", NULL, false);
    guest_open(&other, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&one, "hello"));
    json_decref(guest_await(&other, "hello"));
    guest_say(&one, "{\"type\":\"control\",\"id\":\"k1\",\"parameters\":"
                      "{\"intensity\":0.1,\"melody_complexity\":0.9,\"bpm\":90}}");
    json_t *ack = guest_await(&one, "ack");
    assert_string_equal(json_text(ack, "id"), "k1");
    assert_int_equal(json_whole(ack, "sequence"), 1);
    json_int_t at_frame = json_whole(ack, "at_frame");
    assert_true(at_frame >= (json_int_t)RIG_LIVE_FRAME + 9600 && at_frame % 960 == 0);
    assert_int_equal(json_whole(json_object_get(ack, "parameters"), "bpm"), 90);
    assert_int_equal(json_array_size(json_object_get(ack, "warnings")), 1);
    json_decref(ack);
    struct guest *both[] = {&one, &other};
    rig_advance_ms(&rig, 101);
    for (int i = 0; i < 2; i++) {
        json_t *status = guest_await(both[i], "status");
        assert_int_equal(json_whole(status, "sequence"), 1);
        assert_int_equal(json_whole(status, "at_frame"), at_frame);
        assert_float_equal(json_real_of(json_object_get(status, "parameters"), "intensity"), .1, 1e-12);
        json_decref(status);
    }
    guest_end(&one);
    guest_end(&other);
    rig_end(&rig);
}

// `generation` is what is in force at the playhead, `sequence` the last there is.
static void hello_tells_what_is_in_force_from_what_is_to_come(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    struct mood_patch patch = {.set = 1u << MOOD_ID_bpm, .values = mood_default()};
    struct control_result result;
    for (int i = 1; i <= 3; i++) {
        patch.values.bpm = 80 + i;
        assert_int_equal(sequencer_submit(rig.station.sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
        if (i == 2)
            rig_advance_ms(&rig, 500);
    }
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_t *hello = guest_json(&guest);
    assert_int_equal(json_whole(hello, "generation"), 2);
    assert_int_equal(json_whole(hello, "sequence"), 3);
    assert_int_equal(json_whole(json_object_get(hello, "parameters"), "bpm"), 83);
    json_decref(hello);
    guest_end(&guest);
    rig_end(&rig);
}

static void a_bad_parameter_is_named_and_changes_nothing(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    for (int i = 0; i < 5; i++) {
        guest_say(&guest, "{\"type\":\"control\",\"id\":\"x\",\"parameters\":{\"intensity\":0.2,\"bpm\":0}}");
        json_t *error = guest_await(&guest, "error");
        assert_string_equal(json_text(error, "code"), "INVALID_PARAMETERS");
        assert_string_equal(json_text(error, "field"), "bpm");
        assert_string_equal(json_text(error, "value"), "0");
        assert_true(strlen(json_text(error, "constraint")) > 0);
        assert_string_equal(json_text(error, "id"), "x");
        json_decref(error);
    }
    assert_int_equal(sequencer_latest(rig.station.sequencer), 0);
    guest_end(&guest);
    rig_end(&rig);
}

static void events_begin_with_what_sounds_and_go_on(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    static const char SECTION[] = "{\"type\":\"event\",\"event\":\"section\",\"n\":1}";
    static const char OLD_CHORD[] = "{\"type\":\"event\",\"event\":\"chord\",\"n\":2}";
    static const char CHORD[] = "{\"type\":\"event\",\"event\":\"chord\",\"n\":3}";
    static const char PAST_NOTE[] = "{\"type\":\"event\",\"event\":\"note\",\"n\":4}";
    static const char NOTE[] = "{\"type\":\"event\",\"event\":\"note\",\"n\":5}";
    static const char LATER[] = "{\"type\":\"event\",\"event\":\"note\",\"n\":6}";
    rig_event(&rig, EVENT_RECORD_SECTION, RIG_LIVE_FRAME - 40000, SECTION);
    rig_event(&rig, EVENT_RECORD_CHORD, RIG_LIVE_FRAME - 30000, OLD_CHORD);
    rig_event(&rig, EVENT_RECORD_CHORD, RIG_LIVE_FRAME - 20000, CHORD);
    rig_event(&rig, EVENT_RECORD_NOTE, RIG_LIVE_FRAME - 10000, PAST_NOTE);
    rig_event(&rig, EVENT_RECORD_NOTE, RIG_LIVE_FRAME + 10000, NOTE);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    static const int wanted[] = {1, 3, 5};
    for (size_t i = 0; i < 3; i++) {
        json_t *event = guest_await(&guest, "event");
        assert_int_equal(json_whole(event, "n"), wanted[i]);
        json_decref(event);
    }
    // What is to be said goes first, in the same send.
    guest_expect_preroll(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    for (uint64_t k = 0; k < 10; k++)
        guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK + k * CHUNK_FRAMES);
    guest_expect_silence(&guest);
    rig_event(&rig, EVENT_RECORD_NOTE, RIG_LIVE_FRAME + 20000, LATER);
    rig_advance_ms(&rig, 101);
    json_t *event = guest_await(&guest, "event");
    assert_int_equal(json_whole(event, "n"), 6);
    json_decref(event);
    guest_end(&guest);
    rig_end(&rig);
}

static void many_events_are_all_told(void **state)
{
    enum { MANY = 200 };
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    for (int i = 0; i < MANY; i++) {
        char text[300];
        snprintf(text, sizeof text, "{\"type\":\"event\",\"event\":\"note\",\"n\":%d,\"pad\":\"%0200d\"}", i, 0);
        rig_event(&rig, EVENT_RECORD_NOTE, RIG_LIVE_FRAME + 100 + (uint64_t)i * 64, text);
    }
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&guest, "hello"));
    for (int i = 0; i < MANY; i++) {
        if (i % 16 == 0)
            rig_advance_ms(&rig, 101);
        json_t *event = guest_await(&guest, "event");
        assert_int_equal(json_whole(event, "n"), i);
        json_decref(event);
    }
    guest_end(&guest);
    rig_end(&rig);
}

static void an_error_is_told_whatever_its_id(void **state)
{
    struct rig rig;
    struct guest guest;
    char text[4096];
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    snprintf(text, sizeof text, "{\"type\":\"ping\",\"id\":\"%04050d\"}", 0);
    guest_say(&guest, text);
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "code"), "INVALID_MESSAGE");
    assert_null(json_object_get(error, "id"));
    json_decref(error);
    guest_end(&guest);
    rig_end(&rig);
}

static void the_third_broken_message_closes(void **state)
{
    static const char *const broken[] = {
        "{", "[]", "\"x\"", "{}", "{\"type\":1}", "{\"type\":\"ping\"}", "{\"type\":\"ping\",\"t0\":\"1\"}",
        "{\"type\":\"control\"}", "{\"type\":\"control\",\"parameters\":[]}",
        "{\"type\":\"control\",\"id\":7,\"parameters\":{}}", "{\"type\":\"codec\",\"format\":\"mp3\"}",
        "{\"type\":\"ping\",\"type\":\"ping\",\"t0\":1}", "{\"type\":\"report\",\"lead_ms\":\"a\"}",
    };
    struct rig rig;
    rig_begin_usual(&rig);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct guest guest;
        guest_open(&guest, &rig, "/ws/v2", NULL, false);
        for (int n = 0; n < 3; n++) {
            guest_say(&guest, "{\"type\":\"from a later version\"}");
            guest_say(&guest, broken[i]);
            json_t *error = guest_await(&guest, "error");
            assert_string_equal(json_text(error, "code"), "INVALID_MESSAGE");
            json_decref(error);
        }
        json_t *goodbye = guest_await(&guest, "goodbye");
        assert_string_equal(json_text(goodbye, "code"), "POLICY");
        assert_true(json_whole(goodbye, "retry_ms") > 0);
        json_decref(goodbye);
        assert_int_equal(guest_close_code(&guest), 1008);
        guest_end(&guest);
    }
    rig_wait(rig_deserted, &rig);
    assert_int_equal(stream_stats(rig.stream)->closed_policy, sizeof broken / sizeof *broken);
    rig_end(&rig);
}

// All chunks that are due by now come, and no other. Returns the next one's frame.
static uint64_t expect_due(struct rig *rig, struct guest *guest, const struct pace *pace, uint64_t frame)
{
    for (; pace_send_ns(pace, frame) <= clock_now_ns(&rig->clock); frame += CHUNK_FRAMES)
        guest_expect_chunk(guest, FORMAT_PCM, frame);
    guest_expect_silence(guest);
    return frame;
}

// Three seconds.
static uint64_t expect_time(struct rig *rig, struct guest *guest, const struct pace *pace, uint64_t frame)
{
    for (int i = 0; i < 43; i++) {
        frame = expect_due(rig, guest, pace, frame);
        rig_advance_ms(rig, 70);
    }
    return expect_due(rig, guest, pace, frame);
}

// From now on the lead goes to `frames`; it is told, and what follows comes by it.
static uint64_t expect_move(struct rig *rig, struct guest *guest, struct pace *pace, uint64_t frame, uint64_t frames)
{
    stream_limit_lead(rig->stream, frames);
    rig_advance_ms(rig, 100);
    json_t *lead = guest_await(guest, "lead");
    assert_int_equal(json_whole(lead, "from_frame"), frame);
    assert_int_equal(json_whole(lead, "lead_frames"), frames < RIG_LEAD_FRAMES ? frames : RIG_LEAD_FRAMES);
    lead_move(&pace->lead, (uint64_t)json_whole(lead, "lead_frames"), frame);
    assert_int_equal(json_whole(lead, "burst_until_frame"), pace_burst_until(pace));
    json_decref(lead);
    return expect_time(rig, guest, pace, frame);
}

static void a_lead_that_moves_is_told_and_kept(void **state)
{
    struct rig rig;
    struct guest guest, other;
    rig_begin_usual(&rig);
    rig_publish(&rig, RIG_LIVE_CHUNK + 50 * CHUNK_FRAMES, 120);
    guest_open(&guest, &rig, "/ws/v2?format=pcm", NULL, false);
    json_t *hello = guest_await(&guest, "hello");
    struct pace pace = {.origin_ns = rig.station.origin_ns, .lead.frames = RIG_LEAD_FRAMES,
                        .delivery_frames = CHUNK_FRAMES, .phase_frames = (uint32_t)json_whole(hello, "phase_frames")};
    json_decref(hello);
    uint64_t frame = pace_start(&pace, RIG_NOW_NS, true);
    frame = expect_time(&rig, &guest, &pace, frame);
    frame = expect_move(&rig, &guest, &pace, frame, FRAME_RATE);
    assert_int_equal(lead_at(&pace.lead, frame), FRAME_RATE);
    guest_open(&other, &rig, "/ws/v2?format=pcm", NULL, false);
    hello = guest_await(&other, "hello");
    assert_int_equal(json_whole(hello, "lead_frames"), FRAME_RATE);
    assert_int_equal(json_whole(hello, "max_lead_frames"), RIG_LEAD_FRAMES);
    json_decref(hello);
    guest_end(&other);
    frame = expect_move(&rig, &guest, &pace, frame, UINT64_MAX);
    assert_int_equal(lead_at(&pace.lead, frame), RIG_LEAD_FRAMES);
    guest_end(&guest);
    rig_end(&rig);
}

static void while_memory_is_short_nobody_is_let_in(void **state)
{
    struct rig rig;
    struct guest first, second, third;
    rig_begin_usual(&rig);
    guest_open(&first, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&first, "hello"));
    stream_refuse(rig.stream, true);
    guest_open(&second, &rig, "/ws/v2", NULL, false);
    assert_int_equal(second.status, 503);
    assert_non_null(strstr(second.head, "Retry-After: "));
    guest_end(&second);
    assert_int_equal(stream_stats(rig.stream)->refused_memory, 1);
    stream_refuse(rig.stream, false);
    guest_open(&third, &rig, "/ws/v2", NULL, false);
    json_decref(guest_await(&third, "hello"));
    rig_advance_ms(&rig, 100);
    guest_await_binary(&first);
    guest_end(&third);
    guest_end(&first);
    rig_end(&rig);
}

static void who_floods_is_told_so(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    for (int i = 0; i < 1500; i++)
        guest_send(&guest, WEBSOCKET_PONG, "", 0);
    json_t *goodbye = guest_await(&guest, "goodbye");
    assert_string_equal(json_text(goodbye, "code"), "POLICY");
    json_decref(goodbye);
    assert_int_equal(guest_close_code(&guest), 1008);
    guest_end(&guest);
    rig_wait(rig_deserted, &rig);
    assert_int_equal(stream_stats(rig.stream)->closed_policy, 1);
    assert_int_equal(stream_stats(rig.stream)->closed_slow, 0);
    rig_end(&rig);
}

static void more_than_fifty_messages_in_a_second_are_too_many(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    for (int i = 0; i < 50; i++)
        guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
    for (int i = 0; i < 50; i++)
        json_decref(guest_await(&guest, "pong"));
    rig_advance_ms(&rig, 1000);
    for (int i = 0; i < 53; i++)
        guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
    for (int i = 0; i < 3; i++) {
        json_t *error = guest_await(&guest, "error");
        assert_string_equal(json_text(error, "code"), "RATE_LIMIT_EXCEEDED");
        json_decref(error);
    }
    assert_int_equal(guest_close_code(&guest), 1008);
    guest_end(&guest);
    rig_end(&rig);
}

static void binary_and_long_messages_close(void **state)
{
    struct rig rig;
    struct guest guest;
    char longest[4097];
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_send(&guest, WEBSOCKET_BINARY, "x", 1);
    assert_int_equal(guest_close_code(&guest), 1003);
    guest_end(&guest);
    memset(longest, ' ', sizeof longest);
    memcpy(longest, "{\"type\":\"ping\",\"t0\":1}", 22);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_send(&guest, WEBSOCKET_TEXT, longest, sizeof longest - 1);
    json_decref(guest_await(&guest, "pong"));
    guest_send(&guest, WEBSOCKET_TEXT, longest, sizeof longest);
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "code"), "INVALID_MESSAGE");
    json_decref(error);
    assert_int_equal(guest_close_code(&guest), 1009);
    guest_end(&guest);
    rig_wait(rig_deserted, &rig);
    assert_int_equal(stream_stats(rig.stream)->closed_protocol, 2);
    rig_end(&rig);
}

static bool nobody_reads(struct rig *rig)
{
    return timeline_readers(rig->station.timeline, FORMAT_OPUS) == 0;
}

static void pause_stops_and_play_begins_anew(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_expect_preroll(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK + i * CHUNK_FRAMES);
    guest_say(&guest, "{\"type\":\"pause\"}");
    rig_wait(nobody_reads, &rig);
    rig_advance_ms(&rig, 1975);
    guest_expect_silence(&guest);
    guest_say(&guest, "{\"type\":\"control\",\"parameters\":{\"bpm\":99}}");
    json_decref(guest_await(&guest, "ack"));
    rig_advance_ms(&rig, 101);
    json_decref(guest_await(&guest, "status"));
    guest_say(&guest, "{\"type\":\"play\"}");
    json_t *codec = guest_await(&guest, "codec");
    uint64_t at = RIG_LIVE_CHUNK + 21 * CHUNK_FRAMES;
    assert_int_equal(json_whole(codec, "at_frame"), at);
    assert_true(json_whole(codec, "burst_until_frame") > (json_int_t)at);
    json_decref(codec);
    rig_advance_ms(&rig, 1);
    guest_expect_preroll(&guest, FORMAT_OPUS, at, 16);
    for (uint64_t i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_OPUS, at + i * CHUNK_FRAMES);
    guest_end(&guest);
    rig_end(&rig);
}

static void reports_are_counted(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    guest_say(&guest, "{\"type\":\"report\",\"playhead_frame\":1,\"lead_ms\":1500.5,\"underruns\":2,"
                      "\"drift_ppm\":1.5}");
    guest_say(&guest, "{\"type\":\"report\",\"lead_ms\":1500,\"underruns\":3}");
    guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
    json_decref(guest_await(&guest, "pong"));
    assert_int_equal(stream_stats(rig.stream)->player_reports, 2);
    assert_int_equal(stream_stats(rig.stream)->player_underruns, 3);
    assert_int_equal(stream_stats(rig.stream)->player_lead_ns.count, 2);
    guest_end(&guest);
    rig_end(&rig);
}

// The listeners of a station that was given up are told and closed, and others come when it is well again.
static void a_station_that_failed_has_no_listeners(void **state)
{
    struct rig rig;
    struct guest guest, other;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_decref(guest_json(&guest));
    timeline_set_state(rig.station.timeline, TIMELINE_TROUBLED);
    guest_expect_preroll(&guest, FORMAT_OPUS, RIG_LIVE_CHUNK, 16);
    timeline_set_state(rig.station.timeline, TIMELINE_FAILED);
    guest_open(&other, &rig, "/ws/v2", NULL, false);
    assert_int_equal(other.status, 503);
    assert_non_null(strstr(other.head, "Retry-After"));
    guest_end(&other);
    rig_advance_ms(&rig, 200);
    json_t *goodbye = guest_await(&guest, "goodbye");
    assert_string_equal(json_text(goodbye, "code"), "FAILED");
    assert_in_range(json_whole(goodbye, "retry_ms"), 10000, 11500);
    json_decref(goodbye);
    assert_int_equal(guest_close_code(&guest), 1011);
    guest_end(&guest);
    assert_int_equal(stream_stats(rig.stream)->closed_failed, 1);
    assert_int_equal(stream_stats(rig.stream)->refused_failed, 1);
    timeline_set_state(rig.station.timeline, TIMELINE_WELL);
    guest_open(&other, &rig, "/ws/v2", NULL, false);
    assert_int_equal(other.status, 101);
    guest_end(&other);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_is_first_and_complete),
        cmocka_unit_test(pcm_needs_no_preroll),
        cmocka_unit_test(preroll_is_what_history_there_is),
        cmocka_unit_test(pong_gives_back_what_came),
        cmocka_unit_test(a_control_is_acknowledged_and_everybody_is_told),
        cmocka_unit_test(hello_tells_what_is_in_force_from_what_is_to_come),
        cmocka_unit_test(a_bad_parameter_is_named_and_changes_nothing),
        cmocka_unit_test(events_begin_with_what_sounds_and_go_on),
        cmocka_unit_test(many_events_are_all_told),
        cmocka_unit_test(an_error_is_told_whatever_its_id),
        cmocka_unit_test(the_third_broken_message_closes),
        cmocka_unit_test(a_lead_that_moves_is_told_and_kept),
        cmocka_unit_test(while_memory_is_short_nobody_is_let_in),
        cmocka_unit_test(a_station_that_failed_has_no_listeners),
        cmocka_unit_test(who_floods_is_told_so),
        cmocka_unit_test(more_than_fifty_messages_in_a_second_are_too_many),
        cmocka_unit_test(binary_and_long_messages_close),
        cmocka_unit_test(pause_stops_and_play_begins_anew),
        cmocka_unit_test(reports_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
