// libuv ends the program when its table of watched descriptors cannot grow: so it grows at the start.
#pragma once
#include <stdbool.h>
#include <uv.h>

// Makes a loop's table large enough for descriptors below `descriptors`, or below the process's limit. The loop does
// not run yet.   False when there is no free descriptor.
bool poll_room_claim(uv_loop_t *loop, int descriptors);
