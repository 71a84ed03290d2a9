// The comparison must pass what is right and report every planted difference.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/frames.h"
#include "encode/encode.h"
#include "station/encoding.h"
#include "tools/verify.h"

enum { FIRST = 150, CHUNKS = 6, PREROLL_PACKETS = 16, PCM_BYTES = FORMAT_LEGACY_FRAMES * 4 };

// A few chunks of one format as a server would send them, and the chunks before for a preroll.
struct sent {
    struct encode_output chunks[CHUNKS];
    uint8_t preroll[PREROLL_PACKETS * 1275];
    uint16_t preroll_bytes[PREROLL_PACKETS];
    size_t preroll_len;
};

static struct mood_log the_log;
static struct program program;
static struct sent sent[FORMAT_COUNT];

static void add_to_preroll(struct sent *one, const struct encode_output *chunk, int *at)
{
    size_t offset = 0;
    for (int i = 0; i < chunk->packet_count; i++) {
        if (*at >= 0) {
            memcpy(one->preroll + one->preroll_len, chunk->bytes + offset, chunk->packet_bytes[i]);
            one->preroll_bytes[*at] = chunk->packet_bytes[i];
            one->preroll_len += chunk->packet_bytes[i];
        }
        offset += chunk->packet_bytes[i];
        ++*at;
    }
}

static void make(enum format format)
{
    struct encoding encoding;
    const struct encoder *encoder = encoders[format];
    uint64_t from = (FIRST - 4) * (uint64_t)CHUNK_FRAMES;
    assert_int_equal(encoding_init(&encoding, &program, backend_best(), encoder, from), STATUS_OK);
    struct encode_output before = {.bytes = malloc(encoder->max_bytes)};
    int at = PREROLL_PACKETS - 4 * CHUNK_PACKETS;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(encoding_next(&encoding, &before), STATUS_OK);
        add_to_preroll(&sent[format], &before, &at);
    }
    free(before.bytes);
    for (int i = 0; i < CHUNKS; i++) {
        sent[format].chunks[i].bytes = malloc(encoder->max_bytes);
        assert_int_equal(encoding_next(&encoding, &sent[format].chunks[i]), STATUS_OK);
    }
    encoding_finish(&encoding);
}

static void unmake(enum format format)
{
    for (int n = 0; n < CHUNKS; n++)
        free(sent[format].chunks[n].bytes);
    sent[format] = (struct sent){0};
}

static int make_all(void **state)
{
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&the_log, &mood), STATUS_OK);
    program = (struct program){.seed = 11, .log = &the_log};
    for (int i = 0; i < FORMAT_COUNT; i++)
        make((enum format)i);
    return 0;
}

static int free_all(void **state)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        unmake((enum format)i);
    mood_log_finish(&the_log);
    return 0;
}

static void hear(struct capture *capture, enum format format, int listener, int number, uint64_t first_frame)
{
    const struct encode_output *chunk = &sent[format].chunks[number];
    struct client_chunk heard = {.listener = listener, .first_frame = first_frame, .frame_count = CHUNK_FRAMES,
                                 .format = format,
                                 .payload = chunk->bytes, .payload_bytes = chunk->len,
                                 .packet_bytes = chunk->packet_bytes, .packet_count = chunk->packet_count};
    assert_int_equal(capture_add(capture, &heard), STATUS_OK);
}

static void hear_preroll(struct capture *capture, enum format format, int listener)
{
    const struct sent *opus = &sent[format];
    struct client_chunk heard = {.listener = listener, .frame_count = PREROLL_PACKETS * PACKET_FRAMES,
                                 .format = format,
                                 .first_frame = (uint64_t)FIRST * CHUNK_FRAMES - PREROLL_PACKETS * PACKET_FRAMES,
                                 .payload = opus->preroll, .payload_bytes = opus->preroll_len,
                                 .packet_bytes = opus->preroll_bytes, .packet_count = PREROLL_PACKETS};
    assert_int_equal(capture_add(capture, &heard), STATUS_OK);
}

static uint64_t frame_of(int number)
{
    return (uint64_t)(FIRST + number) * CHUNK_FRAMES;
}

// Two listeners hear everything of a v2 format; the capture is compared.
static struct verify_result compare(enum format format)
{
    struct capture capture;
    struct verify_result result;
    assert_int_equal(capture_init(&capture, 2, false), STATUS_OK);
    for (int listener = 0; listener < 2; listener++) {
        if (format_is_opus(format))
            hear_preroll(&capture, format, listener);
        for (int i = 0; i < CHUNKS; i++)
            hear(&capture, format, listener, i, frame_of(i));
    }
    assert_int_equal(verify_messages(&capture, UINT64_MAX, &program, backend_best(), &result), STATUS_OK);
    capture_finish(&capture);
    return result;
}

static void what_is_right_passes(void **state)
{
    struct verify_result result;
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++) {
        result = compare((enum format)i);
        assert_int_equal(result.mismatches, 0);
        assert_int_equal(result.verified, 2 * (CHUNKS + 1));
    }
    result = compare(FORMAT_PCM);
    assert_int_equal(result.mismatches, 0);
    assert_int_equal(result.verified, 2 * CHUNKS);
}

static void one_flipped_bit_is_reported(void **state)
{
    for (int format = FORMAT_OPUS; format <= FORMAT_PCM; format++)
        for (int place = 0; place < 3; place++) {
            struct encode_output *chunk = &sent[format].chunks[3];
            uint8_t *byte = &chunk->bytes[place == 0 ? 0 : place == 1 ? chunk->len / 2 : chunk->len - 1];
            *byte ^= 1;
            struct verify_result result = compare((enum format)format);
            *byte ^= 1;
            assert_int_equal(result.mismatches, 2);
            assert_true(result.first_frame == frame_of(3));
            assert_int_equal(result.first_listener, 0);
        }
}

static void what_says_that_it_stands_in_is_not_compared(void **state)
{
    struct capture capture;
    struct verify_result result;
    const uint8_t noise[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct client_chunk held = {.first_frame = frame_of(1), .frame_count = CHUNK_FRAMES, .format = FORMAT_PCM,
                                .payload = noise, .payload_bytes = sizeof noise, .flags = MESSAGE_HELD};
    assert_int_equal(capture_init(&capture, 1, false), STATUS_OK);
    hear(&capture, FORMAT_PCM, 0, 0, frame_of(0));
    assert_int_equal(capture_add(&capture, &held), STATUS_OK);
    hear(&capture, FORMAT_PCM, 0, 2, frame_of(2));
    assert_int_equal(verify_messages(&capture, UINT64_MAX, &program, backend_best(), &result), STATUS_OK);
    capture_finish(&capture);
    assert_int_equal(result.mismatches, 0);
    assert_int_equal(result.verified, 2);
    assert_int_equal(result.held, 1);
}

static void hear_generation(struct capture *capture, int listener, int number, uint32_t generation, bool damaged)
{
    const struct encode_output *chunk = &sent[FORMAT_PCM].chunks[number];
    struct client_chunk heard = {.listener = listener, .first_frame = frame_of(number), .frame_count = CHUNK_FRAMES,
                                 .format = FORMAT_PCM, .generation = generation, .payload = chunk->bytes,
                                 .payload_bytes = chunk->len - (damaged ? 4 : 0)};
    assert_int_equal(capture_add(capture, &heard), STATUS_OK);
}

// A change takes effect in chunk 1. What came of chunk 3 before it was known is not compared, but
// has to be replaced for everybody who got it.
static void what_was_superseded_must_have_been_replaced(void **state)
{
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.morph_seconds++;
    assert_int_equal(mood_log_append(&log, 1, frame_of(2), &mood), STATUS_OK);
    const struct program plain = program;
    program.log = &log;
    unmake(FORMAT_PCM);
    make(FORMAT_PCM);
    const struct {
        int replaced;            // for so many of two listeners
        uint32_t generation;     // of what replaces
        uint64_t mismatches, unreplaced, superseded;
    } cases[] = {{2, 1, 0, 0, 2}, {1, 1, 0, 1, 2}, {0, 1, 0, 2, 2}, {2, 2, 2, 0, 2}, {2, 0, 0, 2, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capture capture;
        struct verify_result result;
        assert_int_equal(capture_init(&capture, 2, false), STATUS_OK);
        for (int listener = 0; listener < 2; listener++) {
            for (int n = 0; n < CHUNKS; n++)
                if (n != 3)
                    hear_generation(&capture, listener, n, n > 0, false);
            hear_generation(&capture, listener, 3, 0, true);
            if (listener < cases[i].replaced)
                hear_generation(&capture, listener, 3, cases[i].generation, false);
        }
        assert_int_equal(verify_messages(&capture, UINT64_MAX, &program, backend_best(), &result), STATUS_OK);
        assert_int_equal(result.mismatches, cases[i].mismatches);
        assert_int_equal(result.unreplaced, cases[i].unreplaced);
        assert_int_equal(result.superseded, cases[i].superseded);
        assert_int_equal(verify_messages(&capture, frame_of(3), &program, backend_best(), &result), STATUS_OK);
        assert_int_equal(result.unreplaced, 0);
        capture_finish(&capture);
    }
    program = plain;
    unmake(FORMAT_PCM);
    make(FORMAT_PCM);
    mood_log_finish(&log);
}

static void a_flipped_bit_in_a_preroll_is_reported(void **state)
{
    sent[FORMAT_OPUS].preroll[100] ^= 0x40;
    struct verify_result result = compare(FORMAT_OPUS);
    sent[FORMAT_OPUS].preroll[100] ^= 0x40;
    assert_int_equal(result.mismatches, 2);
    assert_int_equal(result.verified, 2 * CHUNKS);
}

static void packets_cut_elsewhere_are_reported(void **state)
{
    struct encode_output *chunk = &sent[FORMAT_OPUS].chunks[2];
    chunk->packet_bytes[0]++;
    chunk->packet_bytes[1]--;
    assert_int_equal(compare(FORMAT_OPUS).mismatches, 2);
    chunk->packet_bytes[0]--;
    chunk->packet_bytes[1]++;
}

static void a_chunk_at_another_frame_is_reported(void **state)
{
    struct capture capture;
    struct verify_result result;
    assert_int_equal(capture_init(&capture, 1, false), STATUS_OK);
    for (int i = 0; i < CHUNKS; i++)
        hear(&capture, FORMAT_PCM, 0, i, frame_of(i == 4 ? 5 : i == 5 ? 4 : i));
    assert_int_equal(verify_messages(&capture, UINT64_MAX, &program, backend_best(), &result), STATUS_OK);
    capture_finish(&capture);
    assert_int_equal(result.mismatches, 2);
    assert_int_equal(result.verified, CHUNKS - 2);
}

// One listener begins at 128 kb/s and goes on at 32; `claimed` is what the server says that is.
static struct verify_result compare_change(enum format claimed)
{
    struct capture capture;
    struct verify_result result;
    assert_int_equal(capture_init(&capture, 1, false), STATUS_OK);
    for (int i = 0; i < CHUNKS / 2; i++)
        hear(&capture, FORMAT_OPUS, 0, i, frame_of(i));
    for (int i = CHUNKS / 2; i < CHUNKS; i++) {
        const struct encode_output *chunk = &sent[FORMAT_OPUS_32].chunks[i];
        struct client_chunk heard = {.first_frame = frame_of(i), .frame_count = CHUNK_FRAMES, .format = claimed,
                                     .payload = chunk->bytes, .payload_bytes = chunk->len,
                                     .packet_bytes = chunk->packet_bytes, .packet_count = chunk->packet_count};
        assert_int_equal(capture_add(&capture, &heard), STATUS_OK);
    }
    assert_int_equal(verify_messages(&capture, UINT64_MAX, &program, backend_best(), &result), STATUS_OK);
    capture_finish(&capture);
    return result;
}

static void each_message_is_compared_with_its_own_rung(void **state)
{
    struct verify_result result = compare_change(FORMAT_OPUS_32);
    assert_int_equal(result.verified, CHUNKS);
    assert_int_equal(result.mismatches, 0);
    result = compare_change(FORMAT_OPUS_64);
    assert_int_equal(result.verified, CHUNKS / 2);
    assert_int_equal(result.mismatches, CHUNKS - CHUNKS / 2);
}

static void another_seed_is_reported(void **state)
{
    program.seed++;
    struct verify_result result = compare(FORMAT_PCM);
    program.seed--;
    assert_int_equal(result.verified, 0);
    assert_int_equal(result.mismatches, 2 * CHUNKS);
}

// Planted differences in what an old client gets: `step` is added to a sample of chunk 3; chunk `left_out` is missing.
static struct verify_result compare_tracks(int step, int left_out)
{
    struct capture capture;
    struct verify_result result;
    uint8_t pcm[PCM_BYTES];
    assert_int_equal(capture_init(&capture, 1, true), STATUS_OK);
    for (int i = 0, sequence = 40; i < CHUNKS; i++) {
        const struct encode_output *chunk = &sent[FORMAT_LEGACY].chunks[i];
        assert_int_equal(base64_decode((const char *)chunk->bytes, chunk->len, pcm), PCM_BYTES);
        if (i == 3)
            pcm[2000] = (uint8_t)(pcm[2000] + (pcm[2000] < 128 ? step : -step));
        struct client_chunk heard = {.first_frame = (uint64_t)sequence, .payload = pcm, .payload_bytes = sizeof pcm};
        if (i == left_out)
            continue;
        sequence++;
        assert_int_equal(capture_add(&capture, &heard), STATUS_OK);
    }
    assert_int_equal(verify_tracks(&capture, frame_of(-3), frame_of(CHUNKS + 3), &program, backend_best(), &result),
                     STATUS_OK);
    capture_finish(&capture);
    return result;
}

static void old_clients_are_compared_within_one_step(void **state)
{
    struct verify_result result = compare_tracks(0, -1);
    assert_int_equal(result.mismatches, 0);
    assert_int_equal(result.verified, CHUNKS);
    assert_int_equal(compare_tracks(1, -1).mismatches, 0);
    result = compare_tracks(2, -1);
    assert_int_equal(result.mismatches, 1);
    assert_int_equal(result.first_frame, 43);
}

static void a_chunk_left_out_without_a_word_is_reported(void **state)
{
    struct verify_result result = compare_tracks(0, 4);
    assert_int_equal(result.verified, 4);
    assert_int_equal(result.mismatches, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_passes),
        cmocka_unit_test(one_flipped_bit_is_reported),
        cmocka_unit_test(what_says_that_it_stands_in_is_not_compared),
        cmocka_unit_test(what_was_superseded_must_have_been_replaced),
        cmocka_unit_test(a_flipped_bit_in_a_preroll_is_reported),
        cmocka_unit_test(packets_cut_elsewhere_are_reported),
        cmocka_unit_test(a_chunk_at_another_frame_is_reported),
        cmocka_unit_test(each_message_is_compared_with_its_own_rung),
        cmocka_unit_test(another_seed_is_reported),
        cmocka_unit_test(old_clients_are_compared_within_one_step),
        cmocka_unit_test(a_chunk_left_out_without_a_word_is_reported),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
