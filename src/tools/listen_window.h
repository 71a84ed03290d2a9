// What listeners meet, told again and again while they listen: the figures of the last so many seconds.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "client/client.h"

struct listen_window {
    double every_s, from_s;          // every_s 0: none
    bool json;
    uint64_t early;                  // by more than 100 ms: wrong
    struct histogram lateness;
};

void listen_window_init(struct listen_window *window, double every_s, bool json);
void listen_window_add(struct listen_window *window, const struct client_chunk *chunk);
// Tells the window when it is over, and begins the next.   elapsed_s: since the start.
void listen_window_look(struct listen_window *window, double elapsed_s, int connected, FILE *out);
