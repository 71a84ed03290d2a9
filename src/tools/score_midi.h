// The score of a stretch as a Standard MIDI File, for notation programs and sequencers.
//
// Track 0 holds tempo, key signatures, sections (markers) and chords (texts); then comes a track for each layer, named
// as the layer. Ticks are beats of the score, counted from the stretch's first frame, so they do not drift; in seconds,
// as tempos are whole microseconds a beat, a reader of the file is at most 4 ms an hour off the sound. Pitches are
// those of General MIDI; what lies between them is bent, by up to half a semitone. A layer has channels of its own. On
// a free one a note gets its place between left and right and its instrument; when it must share one with a note that
// still sounds, it takes what that one has. Kicks are drum 36 on channel 10. Brightness, attack and release have no
// place in the file.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "compose/compose.h"

enum { SCORE_MIDI_QUARTER_TICKS = 960 };

// first_frame < end_frame. Notes that sound at first_frame begin there; those that still sound at end_frame end there.
//   bytes: out, the file, to be freed by the caller.
// Errors: STATUS_MEMORY; STATUS_FULL: a track has 4 GiB or more.
MUST_USE enum status score_midi_bytes(const struct program *program, uint64_t first_frame, uint64_t end_frame,
                                      uint8_t **bytes, size_t *len);
