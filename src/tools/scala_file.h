// Scala scale files, as --scala names them.
#pragma once
#include "base/status.h"
#include "base/text.h"
#include "score/tuning.h"

// failure: out, what is wrong with the file, its name in front.
// Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_IO, STATUS_FULL; STATUS_INVALID: it is no such file.
MUST_USE enum status scala_file_read(const char *path, struct tuning *tuning, struct text *failure);
