// Texts that are the same for all listeners of a loop, written once.
#pragma once
#include <jansson.h>

#include "stream/state.h"

// The place of a listener's loop for its station.
struct told *told_find(const struct listener *listener, enum told_kind kind);
// Writes the message there; takes over the reference. When it does not fit or memory is short it stays empty.
void told_write(struct told *told, uint64_t sequence, json_t *message);
