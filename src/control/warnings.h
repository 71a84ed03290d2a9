// Doubtful moods: allowed, but somebody should be told.
#pragma once
#include "score/mood.h"

// Fills up to `cap` static texts. Returns how many.
int warnings_of(const struct mood *mood, const char **texts, int cap);
