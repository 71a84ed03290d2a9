// Half a second at a time: when deliveries come, and what changes them, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"
#include "stream/rig.h"
#include "wire/delivery.h"

// Chunks before the live one, and from it on: all but the last two of a delivery.
enum { LEAD_FRAMES = DELIVERY_LEAD_FRAMES, BEFORE = 10, PUBLISHED = 378 };

// A rig with lead enough, and chunks enough for all that these tests do. So many have come and gone before: each test
// has another phase.
static void set_up(struct rig *rig, int before)
{
    struct guest guest;
    struct stream_config config = rig_config();
    config.burst_chunks_per_second = 1000 * NS_PER_SECOND;   // nobody waits
    rig_begin_ahead(rig, &config, 0, LEAD_FRAMES);
    for (int i = 0; i < before; i++) {
        guest_open(&guest, rig, "/ws/v2?format=pcm", NULL, false);
        guest_end(&guest);
    }
    rig_wait(rig_deserted, rig);
    rig_publish(rig, RIG_LIVE_CHUNK - BEFORE * CHUNK_FRAMES, BEFORE + PUBLISHED);
}

// What `hello` or `codec` says of deliveries.
static void read_delivery(struct pace *pace, const json_t *message)
{
    pace->delivery_frames = (uint32_t)json_whole(message, "delivery_frames");
    pace->phase_frames = (uint32_t)json_whole(message, "phase_frames");
    assert_in_range(pace->phase_frames, 1, pace->delivery_frames - 1);
}

static struct pace join(struct rig *rig, struct guest *guest, const char *target, uint32_t delivery)
{
    struct pace pace = {.origin_ns = rig->station.origin_ns, .lead.frames = LEAD_FRAMES};
    guest_open(guest, rig, target, NULL, false);
    json_t *hello = guest_await(guest, "hello");
    read_delivery(&pace, hello);
    assert_int_equal(pace.delivery_frames, delivery);
    (void)pace_start(&pace, RIG_NOW_NS, true);
    assert_int_equal(json_whole(hello, "burst_until_frame"), pace_burst_until(&pace));
    json_decref(hello);
    return pace;
}

// Until a time, 40 ms by 40 ms: all that the pace allows comes and nothing else. Returns the next chunk's frame.
static uint64_t expect_until(struct rig *rig, struct guest *guest, const struct pace *pace, enum format format,
                             uint64_t frame, uint64_t end_ns)
{
    for (;;) {
        for (; pace_send_ns(pace, frame) <= clock_now_ns(&rig->clock); frame += CHUNK_FRAMES)
            guest_expect_chunk(guest, format, frame);
        guest_expect_silence(guest);
        if (clock_now_ns(&rig->clock) >= end_ns)
            return frame;
        rig_advance_ms(rig, 40);
    }
}

static void advance_to(struct rig *rig, uint64_t at_ns)
{
    while (clock_now_ns(&rig->clock) < at_ns)
        rig_advance_ms(rig, 1);
}

static void with_lead_enough_half_a_second_comes_at_a_time(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig, 1);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    uint64_t frame = pace.start_frame;
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, RIG_NOW_NS + 8 * NS_PER_SECOND);
    assert_true(frame > pace_burst_until(&pace));
    assert_int_equal(frame % DELIVERY_MOST_FRAMES, 0);
    uint64_t sends = net_stats(rig.server)->sends;
    for (int i = 0; i < 4; i++) {
        advance_to(&rig, pace_send_ns(&pace, frame));
        for (int k = 0; k < DELIVERY_MOST_CHUNKS; k++, frame += CHUNK_FRAMES)
            guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    }
    assert_in_range(net_stats(rig.server)->sends - sends, 4, 5);   // the one before may have been counted late
    guest_expect_silence(&guest);
    guest_end(&guest);
    rig_end(&rig);
}

static void pcm_comes_chunk_by_chunk(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig, 2);
    struct pace pace = join(&rig, &guest, "/ws/v2?format=pcm", CHUNK_FRAMES);
    (void)expect_until(&rig, &guest, &pace, FORMAT_PCM, pace.start_frame, RIG_NOW_NS + 8 * NS_PER_SECOND);
    guest_end(&guest);
    rig_end(&rig);
}

// Asks for another format and reads what is said of it. Nothing is left out, nothing comes twice.
static uint64_t change(struct rig *rig, struct guest *guest, struct pace *pace, uint64_t frame, const char *wish)
{
    guest_say(guest, wish);
    json_t *codec = guest_await(guest, "codec");
    assert_int_equal(json_whole(codec, "at_frame"), frame);
    read_delivery(pace, codec);
    if (pace_due_ns(pace, frame) < clock_now_ns(&rig->clock))
        pace_catch_up(pace, clock_now_ns(&rig->clock), frame, true);
    assert_int_equal(json_whole(codec, "burst_until_frame"), pace_burst_until(pace));
    json_decref(codec);
    return frame;
}

// begin_ms: when it changes, so that it stands somewhere else in a delivery.
static void change_and_back(int before, uint64_t begin_ms)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig, before);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    guest_expect_preroll(&guest, FORMAT_OPUS, pace.start_frame, 16);
    uint64_t end_ns = RIG_NOW_NS + begin_ms * NS_PER_MS;
    uint64_t frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, pace.start_frame, end_ns);
    frame = change(&rig, &guest, &pace, frame, "{\"type\":\"codec\",\"format\":\"pcm\"}");
    assert_int_equal(pace.delivery_frames, CHUNK_FRAMES);
    frame = expect_until(&rig, &guest, &pace, FORMAT_PCM, frame, end_ns += 3330 * NS_PER_MS);
    frame = change(&rig, &guest, &pace, frame, "{\"type\":\"codec\",\"format\":\"opus\"}");
    assert_int_equal(pace.delivery_frames, DELIVERY_MOST_FRAMES);
    advance_to(&rig, pace_send_ns(&pace, frame));
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    (void)expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, end_ns + 4 * NS_PER_SECOND);
    guest_end(&guest);
    rig_end(&rig);
}

static void another_format_has_other_deliveries(void **state)
{
    for (int i = 1; i <= 5; i++)
        change_and_back(i, 7000 + (uint64_t)i * 110);
}

// Who pauses for a week and changes formats meanwhile costs no more than anybody else, and begins anew.
static void a_long_pause_is_no_debt(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig, 3);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    guest_expect_preroll(&guest, FORMAT_OPUS, pace.start_frame, 16);
    guest_say(&guest, "{\"type\":\"pause\"}");
    guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
    json_decref(guest_await(&guest, "pong"));
    rig_advance_ms(&rig, UINT64_C(7) * 24 * 3600 * 1000);
    for (int i = 0; i < 40; i++) {
        guest_say(&guest, i & 1 ? "{\"type\":\"codec\",\"format\":\"opus\"}"
                                : "{\"type\":\"codec\",\"format\":\"pcm\"}");
        json_t *codec = guest_await(&guest, "codec");
        read_delivery(&pace, codec);
        assert_true((uint64_t)json_whole(codec, "burst_until_frame") < RIG_LIVE_FRAME + 60 * FRAME_RATE);
        json_decref(codec);
    }
    guest_end(&guest);
    rig_end(&rig);
}

// The last two chunks of a delivery come late: those that are there go, and then the others, without a hole.
static void what_is_there_of_a_delivery_goes(void **state)
{
    struct rig rig;
    struct guest guest;
    enum { MISSING = 2 };
    set_up(&rig, 1);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    uint64_t frame = pace.start_frame, end = RIG_LIVE_CHUNK + PUBLISHED * CHUNK_FRAMES;
    uint64_t begin = end + MISSING * CHUNK_FRAMES - DELIVERY_MOST_FRAMES;
    assert_int_equal(begin % DELIVERY_MOST_FRAMES, 0);
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, pace_due_ns(&pace, begin) - 100 * NS_PER_MS);
    assert_int_equal(frame, begin);
    advance_to(&rig, pace_due_ns(&pace, begin));
    for (; frame < end; frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    guest_expect_silence(&guest);
    rig_publish(&rig, end, MISSING);
    rig_advance_ms(&rig, 5);
    for (; frame < end + MISSING * CHUNK_FRAMES; frame += CHUNK_FRAMES)
        guest_expect_chunk(&guest, FORMAT_OPUS, frame);
    assert_int_equal(stream_stats(rig.stream)->skips + stream_stats(rig.stream)->underruns, 0);
    guest_end(&guest);
    rig_end(&rig);
}

// More happens than is told at once: the rest follows soon.
static void many_events_are_told_soon(void **state)
{
    enum { EVENTS = 100, AT_ONCE = 16 };
    struct rig rig;
    struct guest guest;
    char text[64];
    set_up(&rig, 1);
    (void)join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(text, sizeof text, "{\"type\":\"event\",\"event\":\"note\",\"at_frame\":%d}", i);
        rig_event(&rig, EVENT_RECORD_NOTE, RIG_LIVE_FRAME + 1000, text);
    }
    rig_advance_ms(&rig, 500);
    for (int i = 0; i < EVENTS; i++) {
        if (i % AT_ONCE == 0)
            rig_advance_ms(&rig, 50);
        json_t *event = guest_await(&guest, "event");
        assert_int_equal(json_whole(event, "at_frame"), i);
        json_decref(event);
    }
    guest_end(&guest);
    rig_end(&rig);
}

// The lead moves in steps of a delivery, and each comes as one all the same.
static void a_lead_that_moves_keeps_deliveries_whole(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig, 2);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    guest_expect_preroll(&guest, FORMAT_OPUS, pace.start_frame, 16);
    uint64_t end_ns = RIG_NOW_NS + 7200 * NS_PER_MS;
    uint64_t frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, pace.start_frame, end_ns);
    static const uint64_t leads[] = {2 * FRAME_RATE, LEAD_FRAMES};
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        stream_limit_lead(rig.stream, leads[i]);
        rig_advance_ms(&rig, 500);
        json_t *lead = guest_await(&guest, "lead");
        assert_int_equal(json_whole(lead, "from_frame"), frame);
        lead_move(&pace.lead, leads[i], frame);
        assert_int_equal(json_whole(lead, "burst_until_frame"), pace_burst_until(&pace));
        json_decref(lead);
        frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, end_ns += 9 * NS_PER_SECOND);
        assert_int_equal(lead_at(&pace.lead, frame), leads[i]);
    }
    guest_end(&guest);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_lead_enough_half_a_second_comes_at_a_time),
        cmocka_unit_test(pcm_comes_chunk_by_chunk),
        cmocka_unit_test(another_format_has_other_deliveries),
        cmocka_unit_test(a_lead_that_moves_keeps_deliveries_whole),
        cmocka_unit_test(a_long_pause_is_no_debt),
        cmocka_unit_test(what_is_there_of_a_delivery_goes),
        cmocka_unit_test(many_events_are_told_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
