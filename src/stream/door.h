// Who gets in: which protocol, whether there is room, whether this address may.
#pragma once
#include "stream/state.h"

// net_handlers.upgrade. On success accept->detail holds the listener.
bool door_upgrade(void *context, const struct http_request *request, struct net_accept *accept,
                  struct http_response *response);
// net_handlers.abandoned.
void door_abandoned(void *context, const struct net_accept *accept);
// The listener that door_upgrade made.
struct listener *door_listener(const struct net_accept *accept);
