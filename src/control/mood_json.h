// Moods to and from JSON, by the table in score/mood.def.
#pragma once
#include <jansson.h>

#include "base/status.h"
#include "score/mood.h"

// Which field was refused, its value and the rule, for an error message.
struct mood_refusal {
    char field[48];
    char value[64];
    char constraint[256];
};

// Reads a partial mood. Keys in `ignored` (NULL-terminated, may be NULL) are passed over; other unknown keys, wrong
// types (70.0 or "70" for an integer, 1 or "true" for a toggle, null) and values out of range are refused, and *patch
// is then untouched.   refusal: `value` is JSON, cut when it is long.   Errors: STATUS_INVALID, with *refusal.
MUST_USE enum status mood_patch_from_json(const json_t *object, const char *const *ignored, struct mood_patch *patch,
                                          struct mood_refusal *refusal);
// All parameters. A new reference; NULL when memory is short.
json_t *mood_to_json(const struct mood *mood);
// The names that a parameter of a kind may take, by place; NULL where there is none, and for kinds that have none.
const char *mood_choice(enum mood_kind kind, int place);
// One parameter's value.
json_t *mood_value_to_json(const struct mood *mood, enum mood_id id);
