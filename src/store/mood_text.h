// Moods as the database has them: JSON texts.
#pragma once
#include "score/mood.h"

// The caller's, for json_text_free. NULL when memory is short.
char *mood_text(const struct mood *mood);
// Parameters that the text lacks, or that are out of range by now, come as their defaults.
//   text: may be NULL.   Returns false when it is no object; all are defaults then.
bool mood_from_text(const char *text, struct mood *mood);
