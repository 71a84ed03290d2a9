// What a peer has room for.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// The peer's side of the connection as its kernel tells it.   taken: bytes that it has acknowledged so far.   room: how
// many more it would take now. While its program does not read, room shrinks by most of what is taken. False where the
// system does not tell.
bool socket_peer_room(int descriptor, uint64_t *taken, uint64_t *room);
