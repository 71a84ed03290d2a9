// Which chord follows which: a Markov chain over degrees and colours of the mode in force, walked from the start of the
// section, which begins on a chord that both neighbours know.
#pragma once
#include <stdint.h>

#include "compose/passage.h"
#include "compose/voicing.h"

enum { HARMONY_DEGREES = 7, HARMONY_COLOURS = 5, HARMONY_EXTENSIONS = 2 };

struct harmony {
    struct passage passage;
    struct mood mood;             // in force at the onset
    struct chord chord;
    struct voicing voicing;
    uint8_t extensions[HARMONY_EXTENSIONS];  // pitches that enrich the chord, above its tenor
};

// Moves `now` to the chord that sounds at `frame`: walks on from where it stands when that is in the same section and
// not past the frame, else from the start of the section. Zeroed, it stands nowhere yet.
void harmony_seek(const struct program *program, uint64_t frame, struct harmony *now);
// Probabilities of the next degree and colour after a degree; rows of colours that the mode lacks are 0. Sums to 1.
void harmony_row(const struct mood *mood, int degree, double row[HARMONY_DEGREES * HARMONY_COLOURS]);
// Pitch classes of the scale in force, as bits.
uint16_t harmony_scale(const struct mood *mood);
