// The message that parameters have changed, the same for all listeners of a loop and written once.
#pragma once
#include <jansson.h>

#include "stream/state.h"

// Tells the listener of the last change, if it has not been told yet.
//   write: makes the message that tells of an entry; NULL when memory is short: it is then not told.
void told_status(struct listener *listener, enum told_kind kind, json_t *(*write)(const struct mood_entry *entry));
