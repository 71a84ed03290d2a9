// What listeners are told about the music: events of the score as v2 `event` messages (doc/protocol.md).
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "score/event.h"
#include "wire/event_record.h"

// False when listeners are not told of this kind of event.
bool news_record(const struct event *event, uint32_t generation, struct event_record *record);
