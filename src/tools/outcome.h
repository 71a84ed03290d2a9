// How a command ends.
#pragma once
#include "base/status.h"
#include "base/text.h"

// Says on stderr what went wrong, if something did, in one line: in the words of `failure`, or those of the status.
// Returns the exit status: 0 good, 2 when it was asked for wrongly, 1 when the world was in the way.
int outcome_tell(const char *command, enum status status, const struct text *failure);
