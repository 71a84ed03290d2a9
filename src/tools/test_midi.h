// A reader of Standard MIDI Files for tests, written from RP-001 and knowing nothing of the writer. It ends the test at
// the first thing that the standard forbids: also at a note that begins twice on a channel, or does not end.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { TEST_MIDI_TEXT_BYTES = 32 };

struct test_note {
    int track, channel, key, velocity;
    uint64_t on, off;        // ticks
};

// Anything but notes. `kind`: a status byte without its channel, or 0x100 + the type of a meta event.
struct test_midi_event {
    int track, kind, channel;
    uint64_t tick;
    int first, second;       // data of a channel message
    char text[TEST_MIDI_TEXT_BYTES];  // payload of a meta event, cut to fit, closed with a zero
};

struct test_midi {
    int format, tracks, division;
    struct test_note *notes;
    struct test_midi_event *events;
    size_t note_count, event_count;
    uint64_t end;            // ticks of the longest track
};

struct test_midi test_midi_read(const uint8_t *bytes, size_t len);
void test_midi_free(struct test_midi *midi);
// Seconds from the beginning to a tick, by the tempos of the first track.
double test_midi_seconds(const struct test_midi *midi, uint64_t tick);
// The event of `kind` on `track` that begins last at or before `tick`. channel: -1 for any. NULL: none.
const struct test_midi_event *test_midi_last(const struct test_midi *midi, int track, int kind, int channel, int first,
                                             uint64_t tick);
