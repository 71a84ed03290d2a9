// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/receiver.h"

static char heard[4096];

static void on_message(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    sprintf(heard + strlen(heard), "%s:%.*s;", opcode == WEBSOCKET_TEXT ? "t" : "b", (int)len, (const char *)bytes);
}

static void on_ping(void *context, const uint8_t *bytes, size_t len)
{
    sprintf(heard + strlen(heard), "p:%.*s;", (int)len, (const char *)bytes);
}

static const struct receiver_events events = {on_message, on_ping};

struct input {
    uint8_t bytes[4096];
    size_t len;
};

// A masked frame, shortest form.
static void add(struct input *input, int first_byte, const char *payload, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    uint8_t *at = input->bytes + input->len;
    size_t head = websocket_write_head(at, WEBSOCKET_TEXT, len);
    at[0] = (uint8_t)first_byte;
    at[1] |= 0x80;
    memcpy(at + head, mask, 4);
    for (size_t i = 0; i < len; i++)
        at[head + 4 + i] = (uint8_t)payload[i] ^ mask[i % 4];
    input->len += head + 4 + len;
}

// Feeds in pieces; the state and code at the end.
static enum receiver_state feed(const struct input *input, size_t step, int *code)
{
    struct receiver receiver;
    enum receiver_state state = RECEIVER_OPEN;
    *code = 0;
    heard[0] = '\0';
    receiver_init(&receiver, 200, &events, NULL);
    for (size_t at = 0; at < input->len && state == RECEIVER_OPEN; at += step)
        state = receiver_feed(&receiver, input->bytes + at, input->len - at < step ? input->len - at : step, code);
    if (state == RECEIVER_OPEN)
        assert_null(receiver.parser);
    receiver_finish(&receiver);
    return state;
}

static void expect(const struct input *input, const char *messages, enum receiver_state state, int code)
{
    for (size_t step = 1; step <= input->len; step++) {
        int got;
        assert_int_equal(state, feed(input, step, &got));
        assert_int_equal(code, got);
        assert_string_equal(messages, heard);
    }
}

static void test_messages(void **state)
{
    struct input input = {.len = 0};
    char longer[151];
    memset(longer, 'x', 150);
    longer[150] = '\0';
    add(&input, 0x81, "hello", 5);
    add(&input, 0x82, "\1\2", 2);
    add(&input, 0x81, "", 0);
    add(&input, 0x81, longer, 150);
    char want[300];
    snprintf(want, sizeof want, "t:hello;b:\1\2;t:;t:%s;", longer);
    expect(&input, want, RECEIVER_OPEN, 0);
}

static void test_fragments_and_pings(void **state)
{
    struct input input = {.len = 0};
    add(&input, 0x01, "h\xc3", 2);
    add(&input, 0x89, "now", 3);
    add(&input, 0x00, "", 0);
    add(&input, 0x8a, "", 0);
    add(&input, 0x80, "\xa9!", 2);
    add(&input, 0x89, "", 0);
    expect(&input, "p:now;t:h\xc3\xa9!;p:;", RECEIVER_OPEN, 0);
}

static void test_close(void **state)
{
    struct input input = {.len = 0};
    add(&input, 0x81, "a", 1);
    add(&input, 0x88, "\x03\xe8" "bye", 5);
    add(&input, 0x81, "never", 5);
    expect(&input, "t:a;", RECEIVER_CLOSED, 1000);
    struct input silent = {.len = 0};
    add(&silent, 0x88, "", 0);
    expect(&silent, "", RECEIVER_CLOSED, 1005);
}

static void fails(int first_byte, const char *payload, size_t len, int code)
{
    struct input input = {.len = 0};
    add(&input, 0x81, "a", 1);
    add(&input, first_byte, payload, len);
    expect(&input, "t:a;", RECEIVER_FAILED, code);
}

static void test_broken_rules(void **state)
{
    char large[300];
    memset(large, 'x', sizeof large);
    fails(0x81, "\xff", 1, 1007);
    fails(0x81, "\xc3", 1, 1007);
    fails(0x81, "\xed\xa0\x80", 3, 1007);
    fails(0x81, "\xc0\x80", 2, 1007);
    fails(0xc1, "x", 1, 1002);
    fails(0xa1, "x", 1, 1002);
    fails(0x91, "x", 1, 1002);
    fails(0x83, "x", 1, 1002);
    fails(0x8b, "x", 1, 1002);
    fails(0x80, "x", 1, 1002);
    fails(0x09, "x", 1, 1002);
    fails(0x89, large, 126, 1002);
    fails(0x88, "\x03\xed", 2, 1002);
    fails(0x88, "\0\0", 2, 1002);
    fails(0x88, "\3", 1, 1002);
    fails(0x81, large, 201, 1009);
}

static void test_unmasked(void **state)
{
    struct input input = {.bytes = "\x81\x01x", .len = 3};
    expect(&input, "", RECEIVER_FAILED, 1002);
}

static void test_text_within_a_fragmented_one(void **state)
{
    struct input input = {.len = 0};
    add(&input, 0x01, "a", 1);
    add(&input, 0x81, "b", 1);
    expect(&input, "", RECEIVER_FAILED, 1002);
}

static void test_fragments_too_long_together(void **state)
{
    struct input input = {.len = 0};
    char half[150];
    memset(half, 'x', sizeof half);
    add(&input, 0x02, half, sizeof half);
    add(&input, 0x80, half, 50);
    char want[300];
    snprintf(want, sizeof want, "b:%.150s%.50s;", half, half);
    expect(&input, want, RECEIVER_OPEN, 0);
    input.len = 0;
    add(&input, 0x02, half, sizeof half);
    add(&input, 0x80, half, 51);
    expect(&input, "", RECEIVER_FAILED, 1009);
}

static void test_padded_lengths(void **state)
{
    struct input input = {.bytes = "\x81\xfe\x00\x01\0\0\0\0x", .len = 9};
    expect(&input, "", RECEIVER_FAILED, 1002);
    struct input longer = {.bytes = "\x81\xff\0\0\0\0\0\0\0\x01\0\0\0\0x", .len = 15};
    expect(&longer, "", RECEIVER_FAILED, 1002);
    struct input absurd = {.bytes = "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x", .len = 15};
    expect(&absurd, "", RECEIVER_FAILED, 1009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_fragments_and_pings), cmocka_unit_test(test_close),
        cmocka_unit_test(test_broken_rules), cmocka_unit_test(test_unmasked),
        cmocka_unit_test(test_text_within_a_fragmented_one), cmocka_unit_test(test_fragments_too_long_together),
        cmocka_unit_test(test_padded_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
