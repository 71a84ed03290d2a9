#include "tools/midi_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__}

// The file is the header and one track of these bytes.
static void assert_one_track(struct midi_file *file, uint64_t end_tick, const uint8_t *track, size_t track_len)
{
    static const uint8_t head[] = {'M', 'T', 'h', 'd', 0, 0, 0, 6, 0, 1, 0, 1, 0, 96, 'M', 'T', 'r', 'k', 0, 0, 0};
    uint8_t *bytes;
    size_t len;
    assert_int_equal(midi_file_bytes(file, end_tick, &bytes, &len), STATUS_OK);
    assert_int_equal(len, sizeof head + 1 + track_len);
    assert_memory_equal(bytes, head, sizeof head);
    assert_int_equal(bytes[sizeof head], track_len);
    assert_memory_equal(bytes + sizeof head + 1, track, track_len);
    free(bytes);
    midi_file_destroy(file);
}

// The table in RP-001.
static void quantities_are_those_of_the_standard(void **state)
{
    static const struct {
        uint32_t value;
        uint8_t bytes[MIDI_QUANTITY_BYTES];
        int len;
    } rows[] = {
        {0x00, {0x00}, 1}, {0x40, {0x40}, 1}, {0x7f, {0x7f}, 1}, {0x80, {0x81, 0x00}, 2}, {0x2000, {0xc0, 0x00}, 2},
        {0x3fff, {0xff, 0x7f}, 2}, {0x4000, {0x81, 0x80, 0x00}, 3}, {0x100000, {0xc0, 0x80, 0x00}, 3},
        {0x1fffff, {0xff, 0xff, 0x7f}, 3}, {0x200000, {0x81, 0x80, 0x80, 0x00}, 4},
        {0x8000000, {0xc0, 0x80, 0x80, 0x00}, 4}, {0xfffffff, {0xff, 0xff, 0xff, 0x7f}, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[MIDI_QUANTITY_BYTES];
        assert_int_equal(midi_quantity(bytes, rows[i].value), rows[i].len);
        assert_memory_equal(bytes, rows[i].bytes, (size_t)rows[i].len);
    }
}

static void meta_events_are_spelt_as_in_the_standard(void **state)
{
    struct midi_file *file = midi_file_create(1, 96);
    midi_file_text(file, 0, 0, MIDI_TRACK_NAME, "ab");
    midi_file_tempo(file, 0, 0, 120);
    midi_file_key(file, 0, 0, -3, true);
    midi_file_text(file, 0, 96, MIDI_MARKER, "");
    assert_one_track(file, 200, BYTES(0, 0xff, 3, 2, 'a', 'b', 0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, 0, 0xff, 0x59, 2,
                                      0xfd, 1, 96, 0xff, 6, 0, 104, 0xff, 0x2f, 0));
}

static void messages_go_by_tick_then_ends_first_and_beginnings_last(void **state)
{
    struct midi_file *file = midi_file_create(1, 96);
    midi_file_message(file, 0, 10, MIDI_NOTE_ON, 2, 60, 64);
    midi_file_message(file, 0, 20, MIDI_NOTE_ON, 2, 60, 65);
    midi_file_message(file, 0, 20, MIDI_CONTROLLER, 2, MIDI_PAN, 10);
    midi_file_message(file, 0, 20, MIDI_CONTROLLER, 2, MIDI_VOLUME, 11);
    midi_file_message(file, 0, 20, MIDI_NOTE_OFF, 2, 60, 64);
    midi_file_message(file, 0, 5, MIDI_PROGRAM, 2, 12, 0);
    assert_one_track(file, 15, BYTES(5, 0xc2, 12, 5, 0x92, 60, 64, 10, 0x82, 60, 64, 0, 0xb2, 10, 10, 0, 0xb2, 7, 11, 0,
                                     0x92, 60, 65, 0, 0xff, 0x2f, 0));
}

static void a_long_wait_is_cut(void **state)
{
    struct midi_file *file = midi_file_create(1, 96);
    uint64_t tick = 2 * (uint64_t)MIDI_QUANTITY_MAX + 1;
    midi_file_message(file, 0, tick, MIDI_NOTE_ON, 0, 1, 1);
    assert_one_track(file, tick + MIDI_QUANTITY_MAX, BYTES(0xff, 0xff, 0xff, 0x7f, 0xff, 1, 0, 0xff, 0xff, 0xff, 0x7f,
                                                           0xff, 1, 0, 1, 0x90, 1, 1, 0xff, 0xff, 0xff, 0x7f, 0xff,
                                                           0x2f, 0));
}

static void an_empty_track_ends(void **state)
{
    assert_one_track(midi_file_create(1, 96), 0, BYTES(0, 0xff, 0x2f, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_are_those_of_the_standard),
        cmocka_unit_test(meta_events_are_spelt_as_in_the_standard),
        cmocka_unit_test(messages_go_by_tick_then_ends_first_and_beginnings_last),
        cmocka_unit_test(a_long_wait_is_cut),
        cmocka_unit_test(an_empty_track_ends),
    };
    return cmocka_run_group_tests_name("midi_file", tests, NULL, NULL);
}
