// A renderer that goes wrong when it is told to: for tests and drills. It wraps another one.
#pragma once
#include <stddef.h>

#include "base/status.h"
#include "synth/backend.h"

struct injection;

enum { INJECTION_FAULTS = 16 };

// Adds nothing at first; then as `real`, which outlives it.   Errors: STATUS_MEMORY.
MUST_USE enum status injection_create(struct injection **injection, const struct backend *real);
// Adds a fault, before anything is rendered:
//   render-error@T+N    the block at T seconds of the programme fails, the first N times that it is rendered
//   render-nan@T+N      likewise, but gives what is not a number
//   render-stall@T+S    the call for that block takes S seconds longer, once
// N and S may be `forever`; the block is rendered again whenever the renderer begins anew.
// Errors: STATUS_INVALID (it does not read like that), STATUS_FULL.
MUST_USE enum status injection_add(struct injection *injection, const char *text);
const struct backend *injection_backend(struct injection *injection);
// Ends all stalls, those to come as well.
void injection_end(struct injection *injection);
// Nothing may render with it any more. Accepts NULL.
void injection_destroy(struct injection *injection);
