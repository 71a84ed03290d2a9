// Memory for JSON. The library breaks when it finds none in the middle of a text (its lexer does not look), so it gets
// some in any case: what malloc refuses comes from a reserve that is claimed at the start and large enough for one
// request and a message on each loop, whatever they are made of.
#pragma once
#include "base/status.h"

// Before the first use of the library, once in a process, for good.   Errors: STATUS_MEMORY.
MUST_USE enum status json_memory_claim(void);
