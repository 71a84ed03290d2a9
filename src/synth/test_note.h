// One note of an instrument by itself, before effects and mastering. Tests only.
#pragma once
#include <stddef.h>

#include "score/event.h"

// A note that holds for hold_s, in the middle, of velocity and brightness .5, with the shortest attack.
struct note test_note(float pitch, double hold_s);
// Plays it from its beginning: interleaved stereo, of the level that the instrument gives. frames: multiple of 64.
void test_note_play(enum instrument instrument, const struct note *note, const struct mix *mix, float *stereo,
                    size_t frames);
