#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/websocket.h"

static void lengths_take_the_shortest_form(void **state)
{
    static const struct { uint64_t payload; size_t head; } cases[] = {
        {0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}, {INT64_MAX, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[WEBSOCKET_MAX_HEAD_BYTES];
        struct websocket_head head;
        size_t n = websocket_write_head(bytes, WEBSOCKET_BINARY, cases[i].payload);
        assert_int_equal(n, cases[i].head);
        assert_int_equal(bytes[0], 0x82);
        for (size_t part = 0; part < n; part++)
            assert_int_equal(websocket_read_head(bytes, part, &head), 0);
        assert_int_equal(websocket_read_head(bytes, n, &head), (int)n);
        assert_true(head.fin);
        assert_false(head.masked);
        assert_int_equal(head.opcode, WEBSOCKET_BINARY);
        assert_true(head.payload_bytes == cases[i].payload);
    }
}

static void masked_head_is_read(void **state)
{
    // The masked "Hello" of RFC 6455, section 5.7.
    static const uint8_t bytes[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f};
    struct websocket_head head;
    assert_int_equal(websocket_read_head(bytes, 5, &head), 0);
    assert_int_equal(websocket_read_head(bytes, sizeof bytes, &head), 6);
    assert_true(head.fin && head.masked);
    assert_int_equal(head.opcode, WEBSOCKET_TEXT);
    assert_int_equal(head.payload_bytes, 5);
    assert_memory_equal(head.mask, bytes + 2, 4);
}

static int read_start(uint8_t first, uint8_t second)
{
    uint8_t bytes[WEBSOCKET_MAX_HEAD_BYTES] = {first, second};
    struct websocket_head head;
    return websocket_read_head(bytes, sizeof bytes, &head);
}

static void broken_heads_are_refused(void **state)
{
    assert_int_equal(read_start(0x02, 1), 2);     // first of a fragmented message
    assert_int_equal(read_start(0xc2, 1), -1);    // reserved bits
    assert_int_equal(read_start(0xa2, 1), -1);
    assert_int_equal(read_start(0x92, 1), -1);
    assert_int_equal(read_start(0x83, 1), -1);    // reserved opcodes
    assert_int_equal(read_start(0x8b, 1), -1);
    assert_int_equal(read_start(0x09, 1), -1);    // fragmented ping
    assert_int_equal(read_start(0x89, 126), -1);  // long ping
    assert_int_equal(read_start(0x89, 125), 2);
}

static void long_forms_of_short_lengths_are_refused(void **state)
{
    static const uint8_t sixteen[] = {0x82, 126, 0, 125};
    static const uint8_t sixty_four[] = {0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t top_bit[] = {0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0};
    struct websocket_head head;
    assert_int_equal(websocket_read_head(sixteen, sizeof sixteen, &head), -1);
    assert_int_equal(websocket_read_head(sixty_four, sizeof sixty_four, &head), -1);
    assert_int_equal(websocket_read_head(top_bit, sizeof top_bit, &head), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_take_the_shortest_form),
        cmocka_unit_test(masked_head_is_read),
        cmocka_unit_test(broken_heads_are_refused),
        cmocka_unit_test(long_forms_of_short_lengths_are_refused),
    };
    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
