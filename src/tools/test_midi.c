#include "tools/test_midi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS_MAX = 200000, META = 0x100, TEMPO = META + 0x51, END = META + 0x2f };

// Bytes still to be read.
struct rest {
    const uint8_t *at, *end;
};

static unsigned byte(struct rest *rest)
{
    assert_true(rest->at < rest->end);
    return *rest->at++;
}

static uint32_t number(struct rest *rest, int count)
{
    uint32_t value = 0;
    while (count-- > 0)
        value = value << 8 | byte(rest);
    return value;
}

static uint32_t quantity(struct rest *rest)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned one = byte(rest);
        value = value << 7 | (one & 0x7f);
        if (!(one & 0x80))
            return value;
    }
    fail_msg("a quantity of more than four bytes");
    return 0;
}

static unsigned data(struct rest *rest)
{
    unsigned one = byte(rest);
    assert_true(one < 0x80);
    return one;
}

static struct rest chunk(struct rest *rest, const char *name)
{
    assert_true(rest->end - rest->at >= 8);
    assert_memory_equal(rest->at, name, 4);
    rest->at += 4;
    uint32_t len = number(rest, 4);
    assert_true(len <= (size_t)(rest->end - rest->at));
    struct rest inside = {rest->at, rest->at + len};
    rest->at += len;
    return inside;
}

static struct test_midi_event *event_add(struct test_midi *midi, int track, uint64_t tick, int kind)
{
    assert_true(midi->event_count < EVENTS_MAX);
    struct test_midi_event *event = &midi->events[midi->event_count++];
    *event = (struct test_midi_event){.track = track, .tick = tick, .kind = kind, .channel = -1};
    return event;
}

static void meta(struct test_midi *midi, struct rest *rest, int track, uint64_t tick)
{
    struct test_midi_event *event = event_add(midi, track, tick, META + (int)data(rest));
    uint32_t len = quantity(rest);
    for (uint32_t i = 0; i < len; i++) {
        char one = (char)byte(rest);
        if (i + 1 < TEST_MIDI_TEXT_BYTES)
            event->text[i] = one;
    }
}

// The note of the track that sounds with this key on this channel, or NULL.
static struct test_note *sounding(struct test_midi *midi, int track, int channel, int key)
{
    for (size_t i = midi->note_count; i-- > 0 && midi->notes[i].track == track;) {
        struct test_note *note = &midi->notes[i];
        if (note->channel == channel && note->key == key)
            return note->off == UINT64_MAX ? note : NULL;
    }
    return NULL;
}

static void message(struct test_midi *midi, struct rest *rest, int track, uint64_t tick, unsigned status)
{
    int kind = (int)(status & 0xf0), channel = (int)(status & 0x0f);
    int first = (int)data(rest), second = kind == 0xc0 || kind == 0xd0 ? 0 : (int)data(rest);
    struct test_note *note = sounding(midi, track, channel, first);
    if (kind == 0x80 || (kind == 0x90 && second == 0)) {
        assert_non_null(note);
        assert_true(tick > note->on);
        note->off = tick;
    } else if (kind == 0x90) {
        assert_null(note);
        assert_true(midi->note_count < EVENTS_MAX);
        midi->notes[midi->note_count++] = (struct test_note){track, channel, first, second, tick, UINT64_MAX};
    } else {
        struct test_midi_event *event = event_add(midi, track, tick, kind);
        event->channel = channel;
        event->first = first;
        event->second = second;
    }
}

static void track_read(struct test_midi *midi, struct rest rest, int track)
{
    uint64_t tick = 0;
    do {
        tick += quantity(&rest);
        unsigned status = byte(&rest);
        assert_true(status == 0xff || (status >= 0x80 && status < 0xf0));
        if (status == 0xff)
            meta(midi, &rest, track, tick);
        else
            message(midi, &rest, track, tick, status);
    } while (midi->event_count == 0 || midi->events[midi->event_count - 1].track != track ||
             midi->events[midi->event_count - 1].kind != END);
    assert_ptr_equal(rest.at, rest.end);
    midi->end = tick > midi->end ? tick : midi->end;
}

struct test_midi test_midi_read(const uint8_t *bytes, size_t len)
{
    struct rest rest = {bytes, bytes + len}, head = chunk(&rest, "MThd");
    struct test_midi midi = {.format = (int)number(&head, 2)};
    midi.tracks = (int)number(&head, 2);
    midi.division = (int)number(&head, 2);
    midi.notes = malloc(EVENTS_MAX * sizeof *midi.notes);
    midi.events = malloc(EVENTS_MAX * sizeof *midi.events);
    assert_true(midi.notes && midi.events);
    for (int track = 0; track < midi.tracks; track++)
        track_read(&midi, chunk(&rest, "MTrk"), track);
    assert_ptr_equal(rest.at, rest.end);
    for (size_t i = 0; i < midi.note_count; i++)
        assert_true(midi.notes[i].off != UINT64_MAX);
    return midi;
}

void test_midi_free(struct test_midi *midi)
{
    free(midi->notes);
    free(midi->events);
}

double test_midi_seconds(const struct test_midi *midi, uint64_t tick)
{
    double seconds = 0, quarter_s = .5;
    uint64_t at = 0;
    for (size_t i = 0; i < midi->event_count && midi->events[i].track == 0 && midi->events[i].tick <= tick; i++) {
        const struct test_midi_event *event = &midi->events[i];
        if (event->kind != TEMPO)
            continue;
        const uint8_t *us = (const uint8_t *)event->text;
        seconds += (double)(event->tick - at) / midi->division * quarter_s;
        quarter_s = (us[0] << 16 | us[1] << 8 | us[2]) / 1e6;
        at = event->tick;
    }
    return seconds + (double)(tick - at) / midi->division * quarter_s;
}

const struct test_midi_event *test_midi_last(const struct test_midi *midi, int track, int kind, int channel, int first,
                                             uint64_t tick)
{
    const struct test_midi_event *last = NULL;
    for (size_t i = 0; i < midi->event_count; i++) {
        const struct test_midi_event *event = &midi->events[i];
        if (event->track == track && event->kind == kind && (channel < 0 || event->channel == channel) &&
            event->first == first && event->tick <= tick)
            last = event;
    }
    return last;
}
