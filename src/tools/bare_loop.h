// The least that a program can do to send chunks to each of many sockets: one send() for each, or for each delivery, of
// bytes that are the same for all, in order of due time, and nothing else. What a server costs beyond this is its own.
// It says just enough of protocol v2 for a client to connect, to know when chunks are due, and to learn the clock.
#pragma once
#include "os/child.h"

struct bare_loop {
    int listeners;           // how many will connect
    int threads;             // that send; each has its share of the sockets
    size_t message_bytes;    // of each message on the wire, as the server's are
    uint32_t delivery_frames; // a send() for so much, a multiple of CHUNK_FRAMES
};

// Starts it in a process of its own.   port: out.
// Errors: STATUS_IO.
MUST_USE enum status bare_loop_start(struct child *child, struct bare_loop *bare, int *port);
