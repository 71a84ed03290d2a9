// The time of day in the music.
#pragma once
#include "compose/compose.h"

// 0 in the deepest night, at three o'clock; 1 at three in the afternoon; .5 all day where the mood does not follow it.
double daylight_at(const struct program *program, uint64_t frame, const struct mood *mood);
