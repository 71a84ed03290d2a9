// Tunings from Scala scale files (.scl).
// Source: M. Op de Coul, Scala scale file format, https://www.huygens-fokker.org/scala/scl_format.html
//
// How a scale becomes twelve pitch classes:
//   - The file's 1/1 is the tonic, its last pitch the octave: within 50 cents of 2/1, and then played as 2/1. Scales
//     that repeat elsewhere are refused, for the score's chords and melodies repeat at the octave.
//   - Of twelve notes, degree n is n semitones above the tonic, as on a keyboard, however far from there it lies.
//   - Of any other number, each pitch class takes the nearest degree, by the circle of the octave, the lower of two
//     that are equally near: with fewer than twelve notes some classes share a degree, with more some degrees are not
//     used.
#pragma once
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "score/tuning.h"

enum { SCALA_BYTES_MAX = 65536, SCALA_NOTES_MAX = 1024 };

// Reads a scale: its name is "scala", its title the file's description, in ASCII. Lines end with LF, CR or both.
// Stricter than the format in two things: after a pitch comes a space, a tab or the line's end, so that "100,0" is no
// ratio; and there is at least one note.
//   bytes: need no closing zero.   tuning: out; untouched when it is refused.
//   failure: out, "line 4: '3//2' is no ratio".
// Errors: STATUS_INVALID.
MUST_USE enum status scala_read(const char *bytes, size_t len, struct tuning *tuning, struct text *failure);
