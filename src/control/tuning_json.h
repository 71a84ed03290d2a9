// A scale of somebody's own to and from JSON: {"title", "offset_cents": [12 numbers]}.
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "score/tuning.h"

// A new reference; NULL when memory is short.
json_t *tuning_to_json(const struct tuning *tuning);
// Sets title and offsets of a tuning. False when it is no such object, or an offset is none: nothing is set then.
bool tuning_from_json(const json_t *object, struct tuning *tuning);
