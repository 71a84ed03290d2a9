// Half a second at a time: when deliveries come, and what changes them, on a clock that the test moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/pace.h"
#include "stream/rig.h"
#include "wire/delivery.h"

enum { LEAD_FRAMES = DELIVERY_LEAD_FRAMES };

// A rig with lead enough, and chunks enough for all that these tests do.
static void set_up(struct rig *rig)
{
    struct stream_config config = rig_config();
    config.burst_chunks_per_second = 1000 * NS_PER_SECOND;   // nobody waits
    rig_begin_ahead(rig, &config, 0, LEAD_FRAMES);
    rig_publish(rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 390);
}

// What `hello` or `codec` says of deliveries.
static void read_delivery(struct pace *pace, const json_t *message)
{
    pace->delivery_frames = (uint32_t)json_whole(message, "delivery_frames");
    pace->phase_frames = (uint32_t)json_whole(message, "phase_frames");
    assert_in_range(pace->phase_frames, 0, pace->delivery_frames - 1);
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

static void with_lead_enough_half_a_second_comes_at_a_time(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    uint64_t frame = pace.start_frame;
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, RIG_NOW_NS + 8 * NS_PER_SECOND);
    assert_true(frame > pace_burst_until(&pace));
    assert_int_equal(frame % DELIVERY_MOST_FRAMES, 0);
    uint64_t sends = stream_stats(rig.stream)->chunks_sent[STREAM_V2];
    frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, clock_now_ns(&rig.clock) + 2 * NS_PER_SECOND);
    assert_int_equal(stream_stats(rig.stream)->chunks_sent[STREAM_V2] - sends, 20);
    guest_end(&guest);
    rig_end(&rig);
}

static void pcm_comes_chunk_by_chunk(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig);
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
    pace_catch_up(pace, clock_now_ns(&rig->clock), frame, true);
    assert_int_equal(json_whole(codec, "burst_until_frame"), pace_burst_until(pace));
    json_decref(codec);
    return frame;
}

static void another_format_has_other_deliveries(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig);
    struct pace pace = join(&rig, &guest, "/ws/v2", DELIVERY_MOST_FRAMES);
    guest_expect_preroll(&guest, FORMAT_OPUS, pace.start_frame, 16);
    uint64_t end_ns = RIG_NOW_NS + 7200 * NS_PER_MS;
    uint64_t frame = expect_until(&rig, &guest, &pace, FORMAT_OPUS, pace.start_frame, end_ns);
    frame = change(&rig, &guest, &pace, frame, "{\"type\":\"codec\",\"format\":\"pcm\"}");
    assert_int_equal(pace.delivery_frames, CHUNK_FRAMES);
    rig_advance_ms(&rig, 100);
    frame = expect_until(&rig, &guest, &pace, FORMAT_PCM, frame, end_ns += 3330 * NS_PER_MS);
    frame = change(&rig, &guest, &pace, frame, "{\"type\":\"codec\",\"format\":\"opus\"}");
    assert_int_equal(pace.delivery_frames, DELIVERY_MOST_FRAMES);
    rig_advance_ms(&rig, 500);
    guest_expect_preroll(&guest, FORMAT_OPUS, frame, 16);
    (void)expect_until(&rig, &guest, &pace, FORMAT_OPUS, frame, end_ns + 4 * NS_PER_SECOND);
    guest_end(&guest);
    rig_end(&rig);
}

// The lead moves in steps of a delivery, and each comes as one all the same.
static void a_lead_that_moves_keeps_deliveries_whole(void **state)
{
    struct rig rig;
    struct guest guest;
    set_up(&rig);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
