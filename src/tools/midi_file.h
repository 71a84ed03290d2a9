// A Standard MIDI File of format 1: tracks of timed messages that begin together.
// Source: MIDI Manufacturers Association, Standard MIDI Files 1.0, RP-001.
//
// Messages may be added in any order of ticks. At one tick ends of notes come first and beginnings last; all else keeps
// the order in which it was added. When memory runs short that is remembered and told by midi_file_bytes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct midi_file;

// Meta events, by their type byte.
enum midi_meta {
    MIDI_TEXT = 0x01, MIDI_TRACK_NAME = 0x03, MIDI_MARKER = 0x06, MIDI_END_OF_TRACK = 0x2f, MIDI_TEMPO = 0x51,
    MIDI_TIME_SIGNATURE = 0x58, MIDI_KEY_SIGNATURE = 0x59
};

// Channel messages, by their status byte.
enum midi_status {
    MIDI_NOTE_OFF = 0x80, MIDI_NOTE_ON = 0x90, MIDI_CONTROLLER = 0xb0, MIDI_PROGRAM = 0xc0, MIDI_PITCH_BEND = 0xe0
};

enum { MIDI_VOLUME = 7, MIDI_PAN = 10 };  // controllers

enum { MIDI_QUANTITY_MAX = 0x0fffffff, MIDI_QUANTITY_BYTES = 4 };

// tracks: 1 .. 65,535.   quarter_ticks: ticks a quarter note, 1 .. 32,767.   NULL: no memory.
struct midi_file *midi_file_create(int tracks, int quarter_ticks);
// Accepts NULL.
void midi_file_destroy(struct midi_file *file);

// channel: 0 .. 15.   first, second: the message's data, 0 .. 127; a program has but one.
void midi_file_message(struct midi_file *file, int track, uint64_t tick, enum midi_status status, int channel,
                       int first, int second);
void midi_file_meta(struct midi_file *file, int track, uint64_t tick, enum midi_meta type, const void *bytes,
                    size_t len);
void midi_file_text(struct midi_file *file, int track, uint64_t tick, enum midi_meta type, const char *text);
// To the microsecond a quarter note, which is all that the format holds.   quarters_per_minute: above 3.6.
void midi_file_tempo(struct midi_file *file, int track, uint64_t tick, double quarters_per_minute);
// sharps: -7 (flats) .. 7.
void midi_file_key(struct midi_file *file, int track, uint64_t tick, int sharps, bool minor);

// The whole file; every track ends at end_tick, or with its last message if that is later.
//   bytes: out, to be freed by the caller.
// Errors: STATUS_MEMORY; STATUS_FULL: a track has 4 GiB or more.
MUST_USE enum status midi_file_bytes(struct midi_file *file, uint64_t end_tick, uint8_t **bytes, size_t *len);

// A variable-length quantity: seven bits a byte, the highest first, all but the last with bit 7 set.
//   value: 0 .. MIDI_QUANTITY_MAX.   out: room for MIDI_QUANTITY_BYTES. Returns how many bytes.
int midi_quantity(uint8_t *out, uint32_t value);
