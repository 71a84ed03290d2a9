// The door: the thread that accepts, and answers HTTP until a socket is closed or handed to an I/O loop.
#pragma once
#include <stdatomic.h>
#include <uv.h>

#include "net/callers.h"
#include "net/clerk.h"
#include "net/io_loop.h"
#include "net/list.h"
#include "net/lobby.h"
#include "net/shared.h"
#include "os/thread.h"

enum { DOOR_READ_BYTES = 65536 };

struct door {
    uv_loop_t uv;
    uv_async_t wake;
    uv_poll_t listening;
    uv_timer_t sweep, pause;
    struct thread thread;
    struct net_shared *shared;
    struct io_loop *loops;
    int loop_count;
    int listener;               // -1 once closed
    int reserve;                // a descriptor to give up when there is no other, -1: none
    SSL_CTX *tls;               // for new connections; NULL: no TLS
    _Atomic(SSL_CTX *) next_tls;  // what is to take its place, NULL: nothing
    int visitors;
    int shed;                   // connections refused for want of a descriptor, not told of yet
    uint64_t shed_said_ms;      // when they were told of last; 0: never
    bool watching;              // new connections are taken
    struct callers callers;     // visitors by address
    uint64_t refused;           // how many have been told when to come back
    struct lobby lobby;         // who has been a visitor and is to be a listener
    atomic_bool stop_accepting, stop;
    struct list busy, idle, lingering;  // visitors, each list by the time that they have left
    struct list waiting;        // for the clerk
    struct clerk clerk;
    char input[DOOR_READ_BYTES];
};

// Takes the listener over, in any case.   Errors: STATUS_MEMORY.
MUST_USE enum status door_start(struct door *door, struct net_shared *shared, struct io_loop *loops, int loop_count,
                                int listener);
// Any thread. Takes it over.
void door_use_tls(struct door *door, SSL_CTX *tls);
// Any thread.
void door_stop_accepting(struct door *door);
// Closes everything and ends the thread.
void door_stop(struct door *door);
// A visitor has gone: there is room for another one. Door thread.
void door_has_room(struct door *door);
// The loop with the fewest sockets.
struct io_loop *door_choose_loop(struct door *door);
