#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "station/news.h"

static void a_chord_is_told(void **state)
{
    struct event event = {.at_frame = 4800, .kind = EVENT_CHORD};
    event.chord.chord = (struct chord){.root = 6, .quality = CHORD_MIN7, .tones = chord_tones(6, CHORD_MIN7)};
    event.chord.until_frame = 960000;
    struct event_record record;
    assert_true(news_record(&event, 7, &record));
    assert_string_equal(record.text, "{\"type\":\"event\",\"event\":\"chord\",\"name\":\"F#m7\",\"until_frame\":960000,"
                                     "\"at_frame\":4800,\"generation\":7}");
    assert_int_equal(record.text_len, strlen(record.text));
    assert_int_equal(record.kind, EVENT_RECORD_CHORD);
    assert_int_equal(record.at_frame, 4800);
    assert_int_equal(record.generation, 7);
}

static void a_section_is_told(void **state)
{
    struct event event = {.at_frame = 64, .kind = EVENT_SECTION, .section = {3, 5000, "Drif\"ting"}};
    struct event_record record;
    assert_true(news_record(&event, 0, &record));
    assert_string_equal(record.text, "{\"type\":\"event\",\"event\":\"section\",\"name\":\"Drif\\\"ting\",\"index\":3,"
                                     "\"until_frame\":5000,\"at_frame\":64,\"generation\":0}");
    assert_int_equal(record.kind, EVENT_RECORD_SECTION);
}

static void a_note_is_told(void **state)
{
    struct event event = {.at_frame = UINT64_C(1) << 50, .kind = EVENT_NOTE_ON,
                          .note = {.layer = LAYER_LEAD, .pitch = 69.5f, .velocity = 0.25f, .pan = -0.5f}};
    struct event_record record;
    assert_true(news_record(&event, 1, &record));
    assert_string_equal(record.text, "{\"type\":\"event\",\"event\":\"note\",\"layer\":\"lead\",\"pitch\":69.500,"
                                     "\"velocity\":0.250,\"pan\":-0.500,\"at_frame\":1125899906842624,"
                                     "\"generation\":1}");
    assert_int_equal(record.kind, EVENT_RECORD_NOTE);
}

static void endings_and_mixes_are_no_news(void **state)
{
    struct event_record record;
    assert_false(news_record(&(struct event){.kind = EVENT_MIX}, 0, &record));
    assert_false(news_record(&(struct event){.kind = EVENT_NOTE_OFF}, 0, &record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chord_is_told),
        cmocka_unit_test(a_section_is_told),
        cmocka_unit_test(a_note_is_told),
        cmocka_unit_test(endings_and_mixes_are_no_news),
    };
    return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
