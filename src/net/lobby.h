// Where those whose handshake is good wait for their turn to become listeners: at a bounded rate, first come, first
// served, so that a storm of reconnects takes no time from those who are connected. A place costs some hundred bytes;
// the peer waits for its 101. Door thread.
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "net/list.h"
#include "net/ramp.h"

struct door;
struct handover;

struct lobby {
    struct door *door;
    uv_timer_t timer;        // runs while somebody waits
    struct list waiting;     // struct handover, oldest first
    int count, max_count;
    struct ramp ramp;
};

void lobby_init(struct lobby *lobby, struct door *door);
// Who comes now gets its turn in time.
bool lobby_has_room(const struct lobby *lobby);
// Takes the handover over, and hands it to a loop when it is its turn: at once when nobody waits.
void lobby_enter(struct lobby *lobby, struct handover *handover);
// Gives up those who wait.
void lobby_close(struct lobby *lobby);
