// A control log in which nothing stays as it is.
#pragma once
#include <stddef.h>

#include "score/mood_log.h"

// Begins the log with the default mood. Every every_s seconds, up to `seconds`, a parameter moves, every fifth time
// three of them.   Errors: STATUS_MEMORY.
MUST_USE enum status restless_log(struct mood_log *log, int every_s, size_t seconds);
