#include "client/frame_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

// What the sink was given, as text: "opcode:bytes;".
struct heard {
    char text[512];
    size_t len;
    int frames, stop_after;
};

static bool hear(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct heard *heard = context;
    assert_non_null(bytes);
    heard->text[heard->len++] = (char)('0' + opcode);
    heard->text[heard->len++] = ':';
    memcpy(heard->text + heard->len, bytes, len);
    heard->len += len;
    heard->text[heard->len++] = ';';
    heard->frames++;
    return heard->frames != heard->stop_after;
}

static const uint8_t stream[] = {
    0x81, 0x02, 'h', 'i',                         // text
    0x02, 0x01, 'a',                              // binary, first fragment
    0x89, 0x01, 'p',                              // a ping in between
    0x00, 0x00,                                   // an empty fragment
    0x80, 0x02, 'b', 'c',                         // the last fragment
    0x01, 0x00, 0x80, 0x00,                       // an empty text in two fragments
    0x82, 0x00,                                   // empty binary
    0x82, 0x7e, 0x00, 0x80,                       // 128 bytes, filled in below
};
static const char expected[] = "1:hi;9:p;2:abc;1:;2:;2:";

static size_t make_stream(uint8_t *out)
{
    memcpy(out, stream, sizeof stream);
    memset(out + sizeof stream, 'x', 128);
    return sizeof stream + 128;
}

static void check_heard(const struct heard *heard)
{
    assert_int_equal(heard->frames, 6);
    assert_memory_equal(heard->text, expected, sizeof expected - 1);
    assert_int_equal(heard->len, sizeof expected - 1 + 128 + 1);
}

static void cut_at_each_byte(void **state)
{
    uint8_t bytes[sizeof stream + 128];
    size_t len = make_stream(bytes);
    for (size_t cut = 0; cut <= len; cut++) {
        struct frame_reader reader = {0};
        struct heard heard = {0};
        assert_int_equal(frame_reader_feed(&reader, bytes, cut, hear, &heard), STATUS_OK);
        assert_int_equal(frame_reader_feed(&reader, bytes + cut, len - cut, hear, &heard), STATUS_OK);
        check_heard(&heard);
        assert_int_equal(reader.pending_len, 0);
        assert_null(reader.pending);
        assert_null(reader.message);
        frame_reader_finish(&reader);
    }
}

static void byte_by_byte(void **state)
{
    uint8_t bytes[sizeof stream + 128];
    size_t len = make_stream(bytes);
    struct frame_reader reader = {0};
    struct heard heard = {0};
    for (size_t i = 0; i < len; i++)
        assert_int_equal(frame_reader_feed(&reader, bytes + i, 1, hear, &heard), STATUS_OK);
    check_heard(&heard);
    frame_reader_finish(&reader);
}

static void the_sink_can_stop(void **state)
{
    uint8_t bytes[sizeof stream + 128];
    size_t len = make_stream(bytes);
    for (int stop = 1; stop <= 5; stop++) {
        struct frame_reader reader = {0};
        struct heard heard = {.stop_after = stop};
        assert_int_equal(frame_reader_feed(&reader, bytes, len, hear, &heard), STATUS_CLOSED);
        assert_int_equal(heard.frames, stop);
        frame_reader_finish(&reader);
    }
}

static void what_breaks_the_rfc_is_refused(void **state)
{
    static const struct { uint8_t bytes[16]; size_t len; } bad[] = {
        {{0x81, 0x81, 1, 2, 3, 4, 'x'}, 7},                    // masked by a server
        {{0x80, 0x01, 'x'}, 3},                                // continues nothing
        {{0x01, 0x01, 'x', 0x81, 0x01, 'y'}, 6},               // begins within a message
        {{0xc1, 0x01, 'x'}, 3},                                // reserved bit
        {{0x83, 0x01, 'x'}, 3},                                // reserved opcode
        {{0x09, 0x01, 'x'}, 3},                                // fragmented ping
        {{0x82, 0x7f, 0, 0, 0, 0, 0, 0x10, 0, 1}, 10},         // longer than a message may be
        {{0x82, 0x7e, 0, 5, 'x', 'x', 'x', 'x', 'x'}, 9},      // not the shortest length
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct frame_reader reader = {0};
        struct heard heard = {0};
        assert_int_equal(frame_reader_feed(&reader, bad[i].bytes, bad[i].len, hear, &heard), STATUS_INVALID);
        assert_int_equal(heard.frames, 0);
        frame_reader_finish(&reader);
    }
}

static void fragments_have_a_limit(void **state)
{
    static uint8_t frame[4 + 65535] = {0x02, 0x7e, 0xff, 0xff};
    struct frame_reader reader = {0};
    struct heard heard = {0};
    enum status status = STATUS_OK;
    for (int i = 0; i < 17 && status == STATUS_OK; i++) {
        status = frame_reader_feed(&reader, frame, sizeof frame, hear, &heard);
        frame[0] = 0x00;
        assert_true(reader.message_cap <= 2 * FRAME_READER_MAX_MESSAGE);
    }
    assert_int_equal(status, STATUS_INVALID);
    frame_reader_finish(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_each_byte),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(the_sink_can_stop),
        cmocka_unit_test(what_breaks_the_rfc_is_refused),
        cmocka_unit_test(fragments_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
