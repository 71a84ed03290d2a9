#include "stream/legacy_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void legacy_rig_begin(struct rig *rig, int chunks)
{
    struct stream_config config = rig_config();
    rig_begin(rig, &config, 0);
    rig_publish(rig, RIG_LIVE_CHUNK - CHUNK_FRAMES, chunks + 1);
}

json_t *legacy_expect_audio(struct guest *guest, uint64_t frame, int sequence)
{
    uint8_t wanted[RIG_CHUNK_BYTES];
    json_t *audio = guest_await(guest, "audio");
    size_t len = rig_chunk(FORMAT_LEGACY, frame, wanted, NULL);
    assert_int_equal(strlen(json_text(audio, "data")), len);
    assert_memory_equal(json_text(audio, "data"), wanted, len);
    assert_int_equal(json_whole(audio, "sequence"), sequence);
    assert_int_equal(json_whole(audio, "sample_rate"), 44100);
    assert_string_equal(json_text(audio, "format"), "pcm16");
    return audio;
}

double legacy_due_s(uint64_t frame, int target_ms)
{
    return (double)RIG_UNIX_NS / 1e9 + ((double)frame - (double)RIG_LIVE_FRAME) / FRAME_RATE - target_ms / 1000.0;
}

void legacy_expect_silence(struct guest *guest)
{
    guest_say(guest, "{\"type\":\"ping\",\"client_time\":5}");
    json_t *pong = guest_json(guest);
    assert_string_equal(json_text(pong, "type"), "pong");
    assert_int_equal(json_whole(pong, "client_time"), 5);
    json_decref(pong);
}

void legacy_rig_open(struct rig *rig, struct guest *guest, int chunks, const char *target, bool small)
{
    legacy_rig_begin(rig, chunks);
    guest_open(guest, rig, target, NULL, small);
    assert_int_equal(guest->status, 101);
}

uint64_t legacy_hear_a_second(struct rig *rig, struct guest *guest)
{
    uint64_t frame = LEGACY_FIRST_FRAME;
    for (int n = 0; n < 15; n++, frame += CHUNK_FRAMES) {
        json_decref(legacy_expect_audio(guest, frame, n));
        if (n >= 4)
            rig_advance_ms(rig, 100);
    }
    return frame;
}
