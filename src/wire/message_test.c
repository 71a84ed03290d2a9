#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/message.h"

static const struct message_header opus_header = {
    .codec = MESSAGE_CODEC_OPUS,
    .flags = MESSAGE_SPLICE | MESSAGE_PREROLL,
    .packet_count = 2,
    .generation = 0x01020304,
    .first_frame = UINT64_C(0x1112131415161718),
    .frame_count = 1920,
    .packet_bytes = {3, 0x0102},
};

static void layout_is_exact(void **state)
{
    static const uint8_t expected[] = {2,    1,    6,    2,    4,    3,    2,    1, 0x18, 0x17, 0x16, 0x15,
                                       0x14, 0x13, 0x12, 0x11, 0x80, 0x07, 0,    0, 3,    0,    2,    1};
    uint8_t bytes[64];
    assert_int_equal(message_write(&opus_header, bytes), sizeof expected);
    assert_int_equal(message_header_bytes(&opus_header), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void opus_there_and_back(void **state)
{
    uint8_t bytes[512] = {0};
    size_t head = message_write(&opus_header, bytes);
    size_t len = head + 3 + 0x0102;
    struct message_header read;
    const uint8_t *payload;
    size_t payload_len;
    assert_true(message_read(bytes, len, &read, &payload, &payload_len));
    assert_memory_equal(&read, &opus_header, sizeof read);
    assert_ptr_equal(payload, bytes + head);
    assert_int_equal(payload_len, 3 + 0x0102);
}

static void wrong_lengths_are_refused(void **state)
{
    uint8_t bytes[512] = {0};
    struct message_header read;
    const uint8_t *payload;
    size_t payload_len;
    size_t len = message_write(&opus_header, bytes) + 3 + 0x0102;
    for (size_t wrong = 0; wrong < sizeof bytes; wrong++)
        if (wrong != len)
            assert_false(message_read(bytes, wrong, &read, &payload, &payload_len));
}

static bool reads_with(size_t offset, uint8_t value)
{
    uint8_t bytes[512] = {0};
    struct message_header read;
    const uint8_t *payload;
    size_t payload_len;
    size_t len = message_write(&opus_header, bytes) + 3 + 0x0102;
    bytes[offset] = value;
    return message_read(bytes, len, &read, &payload, &payload_len);
}

static void wrong_fields_are_refused(void **state)
{
    assert_true(reads_with(2, 0));
    assert_false(reads_with(0, 1));
    assert_false(reads_with(0, 3));
    assert_false(reads_with(1, 0));
    assert_false(reads_with(1, 3));
    assert_false(reads_with(3, 0));
    assert_false(reads_with(3, 17));
    assert_false(reads_with(3, 255));
    assert_false(reads_with(16, 0x81));
    assert_false(reads_with(20, 4));
}

static void pcm_there_and_back(void **state)
{
    struct message_header header = {.codec = MESSAGE_CODEC_PCM, .first_frame = 4800, .frame_count = 4800};
    uint8_t bytes[20 + 19200 + 4] = {0};
    struct message_header read;
    const uint8_t *payload;
    size_t payload_len;
    assert_int_equal(message_write(&header, bytes), MESSAGE_HEADER_BYTES);
    assert_true(message_read(bytes, 20 + 19200, &read, &payload, &payload_len));
    assert_int_equal(payload_len, 19200);
    assert_int_equal(read.first_frame, 4800);
    assert_false(message_read(bytes, 20 + 19196, &read, &payload, &payload_len));
    assert_false(message_read(bytes, 20 + 19204, &read, &payload, &payload_len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_exact),           cmocka_unit_test(opus_there_and_back),
        cmocka_unit_test(wrong_lengths_are_refused), cmocka_unit_test(wrong_fields_are_refused),
        cmocka_unit_test(pcm_there_and_back),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
