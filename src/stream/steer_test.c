// Wishes that take a while to be kept, or cannot be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/rig.h"

static const char wish[] = "{\"type\":\"control\",\"id\":\"k1\",\"parameters\":{\"intensity\":0.1}}";

// A listener, and a gate at which its changes wait to be kept.
static void begin_at_gate(struct rig *rig, struct wakeup *gate, struct guest *guest, const char *target)
{
    wakeup_init(gate);
    rig_begin_usual(rig);
    rig->gate = gate;
    guest_open(guest, rig, target, NULL, false);
    json_decref(guest_await(guest, "hello"));
}

// It is answered, so what was said before it has been read.
static void ask_for_pong(struct guest *guest)
{
    guest_say(guest, "{\"type\":\"ping\",\"t0\":1}");
    json_decref(guest_await(guest, "pong"));
}

// What is due comes meanwhile, and whatever else was asked for is answered.
static void nobody_waits_for_a_change_to_be_kept(void **state)
{
    struct rig rig;
    struct guest guest;
    struct wakeup gate;
    begin_at_gate(&rig, &gate, &guest, "/ws/v2?format=pcm");
    for (int i = 0; i < 10; i++)
        guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + (uint64_t)i * CHUNK_FRAMES);
    guest_say(&guest, wish);
    ask_for_pong(&guest);
    rig_advance_ms(&rig, 60);
    guest_expect_chunk(&guest, FORMAT_PCM, RIG_LIVE_CHUNK + 10 * CHUNK_FRAMES);
    assert_int_equal(sequencer_latest(rig.station.sequencer), 0);
    wakeup_raise(&gate);
    json_t *ack = guest_await(&guest, "ack");
    assert_string_equal(json_text(ack, "id"), "k1");
    assert_int_equal(json_whole(ack, "sequence"), 1);
    json_decref(ack);
    guest_end(&guest);
    rig_end(&rig);
    wakeup_finish(&gate);
}

static void what_cannot_be_kept_is_refused_and_nothing_has_changed(void **state)
{
    static const char old_wish[] = "{\"type\":\"control\",\"intensity\":0.1}";
    static const struct { const char *target, *wish, *field, *code; } each[] = {
        {"/ws/v2", wish, "code", "INTERNAL_ERROR"},
        {"/ws/audio/somebody", old_wish, "error_code", "SERVER_OVERLOAD"},
        {"/ws/stream", old_wish, "error_code", "INTERNAL_ERROR"},
    };
    struct rig rig;
    rig_begin_usual(&rig);
    rig.refusal = STATUS_IO;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct guest guest;
        guest_open(&guest, &rig, each[i].target, NULL, false);
        guest_say(&guest, each[i].wish);
        json_t *error = guest_await(&guest, "error");
        assert_string_equal(json_text(error, each[i].field), each[i].code);
        assert_string_equal(json_text(error, "message"), "the change could not be made: input/output error");
        json_decref(error);
        guest_end(&guest);
    }
    assert_int_equal(sequencer_latest(rig.station.sequencer), 0);
    rig_end(&rig);
}

// Its place is given back once its wishes have been answered, and the others'.
static void who_has_gone_is_not_told(void **state)
{
    struct rig rig;
    struct wakeup gate;
    struct stream_config config = rig_config();
    config.max_listeners = 2;
    wakeup_init(&gate);
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 60);
    for (int turn = 0; turn < 3; turn++) {
        uint64_t before = sequencer_latest(rig.station.sequencer);
        int came = atomic_load(&rig.at_gate);
        atomic_store(&rig.gate, &gate);
        struct guest leaves, stays;
        guest_open(&leaves, &rig, "/ws/v2", NULL, false);
        guest_open(&stays, &rig, "/ws/v2", NULL, false);
        json_decref(guest_await(&leaves, "hello"));
        guest_say(&leaves, turn % 2 ? "{\"type\":\"control\",\"parameters\":{\"intensity\":0.7}}" : wish);
        ask_for_pong(&leaves);
        guest_end(&leaves);
        while (stream_listeners(rig.stream) > 1 || atomic_load(&rig.at_gate) == came) {
        }
        assert_int_equal(sequencer_latest(rig.station.sequencer), before);
        atomic_store(&rig.gate, NULL);   // for the next one
        wakeup_raise(&gate);
        guest_say(&stays, turn % 2 ? "{\"type\":\"control\",\"id\":\"k2\",\"parameters\":{\"bpm\":66}}"
                                   : "{\"type\":\"control\",\"id\":\"k2\",\"parameters\":{\"bpm\":99}}");
        json_t *ack = guest_await(&stays, "ack");
        assert_string_equal(json_text(ack, "id"), "k2");
        json_decref(ack);
        assert_int_equal(sequencer_latest(rig.station.sequencer), before + 2);
        guest_end(&stays);
        rig_wait(rig_deserted, &rig);
    }
    rig_end(&rig);
    wakeup_finish(&gate);
}

// The server goes while a wish waits.
static void the_end_waits_for_what_is_being_kept(void **state)
{
    struct rig rig;
    struct guest guest;
    struct wakeup gate;
    begin_at_gate(&rig, &gate, &guest, "/ws/v2");
    guest_say(&guest, wish);
    ask_for_pong(&guest);
    wakeup_raise(&gate);
    rig_end(&rig);
    guest_end(&guest);
    wakeup_finish(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_for_a_change_to_be_kept),
        cmocka_unit_test(what_cannot_be_kept_is_refused_and_nothing_has_changed),
        cmocka_unit_test(who_has_gone_is_not_told),
        cmocka_unit_test(the_end_waits_for_what_is_being_kept),
    };
    return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
