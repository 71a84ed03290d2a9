#include "stream/legacy_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

enum { LEGACY_SAMPLES = FORMAT_LEGACY_FRAMES * CHANNELS };

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

// The samples of a chunk in a generation.
static void samples_of(uint64_t frame, uint32_t generation, int16_t *samples)
{
    uint8_t text[RIG_CHUNK_BYTES], bytes[LEGACY_SAMPLES * 2];
    rig_set_generation(generation);
    size_t len = rig_chunk(FORMAT_LEGACY, frame, text, NULL);
    assert_int_equal(base64_decode((const char *)text, len, bytes), sizeof bytes);
    memcpy(samples, bytes, sizeof bytes);
}

void legacy_expect_join(struct guest *guest, uint64_t frame, uint32_t from_generation, uint32_t to_generation)
{
    int16_t from[LEGACY_SAMPLES], to[LEGACY_SAMPLES], heard[LEGACY_SAMPLES];
    samples_of(frame, from_generation, from);
    samples_of(frame, to_generation, to);
    json_t *audio = guest_await(guest, "audio");
    const char *text = json_text(audio, "data");
    assert_int_equal(strlen(text), FORMAT_LEGACY_BASE64_BYTES);
    assert_int_equal(base64_decode(text, strlen(text), (uint8_t *)heard), sizeof heard);
    for (int i = 0; i < LEGACY_SAMPLES; i++) {
        double share = (i / CHANNELS + 0.5) / FORMAT_LEGACY_FRAMES;
        assert_float_equal(heard[i], (1 - share) * from[i] + share * to[i], 0.51);
    }
    json_decref(audio);
}

void legacy_publish_other(struct rig *rig, uint64_t from, int count, uint32_t generation)
{
    rig_set_generation(generation);
    for (int i = 0; i < count; i++)
        rig_publish_one(rig, FORMAT_LEGACY, from + (uint64_t)i * CHUNK_FRAMES);
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
