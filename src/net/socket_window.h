// What a peer makes room for.
#pragma once
#include <stdint.h>

// Up to which byte of the connection the peer has made room: what it has acknowledged and its window beyond. That moves on
// only while its program reads, however much its kernel keeps for it. 0: not known on this system.
uint64_t socket_room_until(int descriptor);
