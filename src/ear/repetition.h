// Whether music repeats itself note for note.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct repetition_note {
    uint64_t at_frame;    // ascending
    int pitch;            // MIDI semitones
};

// Two places where the same run of notes begins.
struct repetition {
    size_t first, second;
};

// Looks for a run of `length` notes (at least 1) that comes twice: the same pitches, and each as far behind the first
// one of its run as its counterpart, within `tolerance_frames`. The two runs may overlap.
// Returns 1 when there is one, then told by *found; 0 when there is none; -1 when memory is short.
int repetition_find(const struct repetition_note *notes, size_t count, size_t length, uint64_t tolerance_frames,
                    struct repetition *found);
