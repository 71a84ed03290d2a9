// One upgraded WebSocket on its I/O loop.
#pragma once
#include <uv.h>

#include "net/list.h"
#include "net/outgoing.h"
#include "net/receiver.h"
#include "net/server.h"
#include "net/transport.h"

struct io_loop;
struct net_shared;

enum connection_state { CONNECTION_OPEN, CONNECTION_CLOSING, CONNECTION_DOOMED };

// Its place comes from net_shared.connections: the door takes it, the loop gives it back.
// What a send needs comes first, in one cache line and a half.
struct connection {
    struct io_loop *loop;
    struct transport transport;
    enum connection_state state;
    bool waiting;              // the kernel has no room: what comes is queued until the socket is writable
    bool held;                 // texts are queued until something shared is sent, or connection_go
    bool peer_done;            // the peer's close frame has come, or nothing of it counts any more
    bool deaf;                 // the peer broke the protocol: what it sends is dropped
    bool flooding;             // the peer sends too much: what it sends is not read any more
    uint64_t bytes_sent;
    struct outgoing outgoing;
    void *listener;            // NULL while it is not the handler's
    int close_code;            // what `closed` tells
    uint64_t due_ms;           // loop time of the next ping, or of the end of the close handshake
    uint64_t second_ms;        // loop time since when the receiver's frames are counted
    struct list link;          // in the loop's list for its state
    struct receiver receiver;
    uv_poll_t poll;
};

// What the door hands over. Freed by connection_adopt.
struct handover {
    struct list link;          // while it waits for its turn
    struct connection *place;  // what it will be
    struct transport transport;
    struct net_accept accept;
    size_t answer_len, extra_len;
    uint8_t bytes[];           // the 101 answer, then what has been read after the request
};

// It is lost: tells the handler, closes the socket, gives its place back, frees it.
void handover_abandon(struct handover *handover, struct net_shared *shared);
// Takes a socket over on its loop: sends the answer, calls `open`. Takes no memory.
// A socket that cannot be watched: `abandoned`.
void connection_adopt(struct io_loop *loop, struct handover *handover);
// Sends a ping frame.
void connection_ping(struct connection *connection);
// Its end: nothing is sent or received any more. It is destroyed before the loop sleeps again.
void connection_doom(struct connection *connection);
// As above, for one that has not taken the close frame in time: the kernel forgets what it still has for the peer.
void connection_give_up(struct connection *connection);
// Calls `release` and `closed`, closes the socket and frees it. Only by the loop, for a doomed one.
void connection_destroy(struct connection *connection);
