// When chords change: a walk from the start of the section that holds a frame.
//
// Boundaries lie on a jittered grid of beats, at every start of a section, and soon after a change of key. Chords last
// 8 to 90 s; a change of key may cut one down to 4 s.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"
#include "compose/compose.h"
#include "compose/form.h"

enum {
    PASSAGE_SHORTEST = 8 * FRAME_RATE,   // a chord, when the key stays
    PASSAGE_LONGEST = 90 * FRAME_RATE,
};

// One chord's place in time.
struct passage {
    struct section section;
    int ordinal;               // chords since the section began
    uint64_t onset, until;     // frames, multiples of 64; `until` as far as the log knows
};

// The first chord of a section.
struct passage passage_first(const struct program *program, struct section section);
// The next chord of the same section; to be called only while passage->until < passage->section.to.
void passage_advance(const struct program *program, struct passage *passage);
// The chord that sounds at `frame`.
struct passage passage_at(const struct program *program, uint64_t frame);
// When the chord would end if nothing changed after its onset.
uint64_t passage_planned_end(const struct program *program, const struct passage *passage);
// Tonic and mode of two moods agree.
bool passage_same_key(const struct mood *a, const struct mood *b);
