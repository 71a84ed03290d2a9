// Four voices for a chord, led with as little motion as the rules allow.
//
// Rules: bass to tenor at least 7 semitones, nothing under 5 semitones apart below C3, upper voices within F2..G5,
// every tone of the chord present, no parallel octaves or unisons, at most VOICING_MAX_MOTION semitones in all per
// change.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "score/chord.h"

enum { VOICING_VOICES = 4, VOICING_MAX_MOTION = 8 };

// MIDI pitches, bass first, ascending.
struct voicing {
    uint8_t pitch[VOICING_VOICES];
};

// The chord's own place: the legal voicing nearest to the middle of each voice. Depends on the chord alone.
struct voicing voicing_home(struct chord chord);
// The legal voicing of the chord that `from` can best be led to, and that leads on to `towards` unless that is NULL.
// False when there is none.
bool voicing_lead(struct voicing from, struct chord chord, const struct voicing *towards, struct voicing *to);
// Semitones that all voices move together.
int voicing_motion(struct voicing from, struct voicing to);
// The change keeps the rules for changes.
bool voicing_leads(struct voicing from, struct voicing to);
