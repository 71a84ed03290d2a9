// Listening, TLS, HTTP, WebSocket handshake and frames, event loops. Knows no music.
//
// One door thread accepts, shakes hands for TLS, parses HTTP and answers it. An upgraded socket goes to one of the I/O
// loops and stays there; everything about it is then called on that loop's thread.
#pragma once
#include <openssl/types.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/status.h"
#include "net/forwarded.h"
#include "net/http.h"
#include "os/clock.h"
#include "wire/websocket.h"

struct net_server;
struct connection;   // an upgraded WebSocket

enum { NET_ACCEPT_DETAIL_BYTES = 192 };

// What `upgrade` says about a connection that it takes.
struct net_accept {
    const char *subprotocol;             // chosen one, static; NULL: none
    size_t max_message_bytes;            // longer messages are closed with 1009
    size_t send_buffer_bytes;            // SO_SNDBUF; 0: the system's
    _Alignas(8) unsigned char detail[NET_ACCEPT_DETAIL_BYTES];  // the handler's own, handed on to `open`
};

struct net_handlers {
    void *context;
    void *request_context;
    // Door thread, or the clerk's: answers by http_respond before it returns. Unknown paths are the handler's business
    // (404).
    void (*request)(void *request_context, const struct http_request *request, struct http_response *response);
    // Door thread: to answer this one may take a while, for it waits for a disk, say. `request` is then called on the
    // clerk's thread, one after the other, and may be called at the door meanwhile. NULL: none does.
    bool (*takes_time)(void *request_context, const struct http_request *request);
    // Door thread: a well-formed WebSocket handshake. True: 101 with *accept. False: it has answered by http_respond.
    bool (*upgrade)(void *context, const struct http_request *request, struct net_accept *accept,
                    struct http_response *response);
    // An upgraded socket was lost before `open` could be called; undo what `upgrade` counted. Door thread, and in rare
    // cases (no memory) the I/O loop that was to get it.
    void (*abandoned)(void *context, const struct net_accept *accept);
    // I/O loop `loop`. Returns the listener's own data, NULL to refuse (closed with 1013).
    void *(*open)(void *context, int loop, struct connection *connection, const struct net_accept *accept);
    // A whole text or binary message, unmasked and checked (UTF-8 for text).
    void (*message)(void *listener, enum websocket_opcode opcode, const uint8_t *bytes, size_t len);
    // A message longer than max_message_bytes has begun: a last chance to say so before it is closed with 1009.
    void (*oversized)(void *listener);
    // The peer floods with frames: a last chance to say so before it is closed with 1008.
    void (*flooding)(void *listener);
    // What was pending has gone out: room again.
    void (*writable)(void *listener);
    // The last call for this listener. code: the WebSocket close code, 1006 when the peer just went.
    void (*closed)(void *listener, int code);
    // I/O loop: its time has come (net_wake_at). Returns the next time, UINT64_MAX for none.
    uint64_t (*tick)(void *context, int loop, uint64_t now_ns);
};

struct net_config {
    const char *address;      // "127.0.0.1", "::", "0.0.0.0"
    uint16_t port;            // 0: any free one
    int listener;             // a listening socket that was taken over, in place of the two above; 0: none
    int loops;                // I/O loops; 0: one per processor
    const struct clock *clock;
    const struct net_handlers *handlers;
    const char *server_name;  // for the Server header: "auralis/0.1"
    int accept_rate;          // WebSockets that are let in per second; 0: no limit
    int max_sockets_per_address;  // at the door, that is but for WebSockets; 0: no limit
    bool limit_loopback;      // apply that to loopback too
    struct forwarded_proxies proxies;  // may say by headers for whom they ask; without a limit at the door
    SSL_CTX *tls;             // certificate and key (net/tls.h), taken over in any case: TLS and plain HTTP on one
                              // port. NULL: plain HTTP only
    int max_connections;      // WebSockets at most; 0: 4096
    int door_sockets;         // other sockets at most; 0: 2048
    int ping_s;               // real seconds between pings to a WebSocket; 0: 25
};

struct net_stats {
    atomic_uint_fast64_t accepted, requests, upgrades, http_errors, bytes_sent, send_errors, refused_by_parser;
    atomic_uint_fast64_t sends;     // to WebSockets, each a system call
    atomic_uint_fast64_t tls_handshakes, tls_failures;  // begun; not completed by their own fault
    atomic_uint_fast64_t refused_by_rate;     // handshakes for which there would have been no turn in time
    atomic_uint_fast64_t refused_by_address;  // sockets: their address had too many at the door
    atomic_uint_fast64_t memory_faults;       // what ended a socket, or refused it, for want of memory
    atomic_int waiting;             // good handshakes that wait for their turn
    atomic_int open_connections;    // WebSockets
    atomic_int open_http;           // sockets at the door
};

// Binds, listens and starts the threads. Takes `listener` over, in any case.
//   server: out, set before any handler is called; NULL after an error.
// Errors: STATUS_IN_USE (the port), STATUS_DENIED, STATUS_INVALID (the address), STATUS_MEMORY.
MUST_USE enum status net_create(struct net_server **server, const struct net_config *config);
// Takes over another certificate and key: new TLS connections get it, what is open goes on. Any thread. Only for a
// server that was made with one.
void net_use_tls(struct net_server *server, SSL_CTX *tls);
// Stops accepting; what is open goes on. Any thread.
void net_stop_accepting(struct net_server *server);
// Closes everything with 1001 and ends the threads. Accepts NULL.
void net_destroy(struct net_server *server);
uint16_t net_port(const struct net_server *server);
// The socket that it listens at, for who takes its place; until it stops accepting.
int net_listener(const struct net_server *server);
int net_loops(const struct net_server *server);
const struct net_stats *net_stats(const struct net_server *server);
// Asks for `tick` of a loop at a clock time at the latest; any thread. Earlier wishes stay in force.
void net_wake_at(struct net_server *server, int loop, uint64_t at_ns);

// --- on the connection's own loop ---
// Queues a text message; small ones of one connection are sent in order, before anything shared that is not under way.
// False when its buffer (16 KiB) is full: the peer does not read; the connection is then closed with 1008.
bool connection_send_text(struct connection *connection, const char *text, size_t len);

// Until connection_go texts wait, to go out with what is sent meanwhile by connection_send: in one system call. Both
// within one call of a handler.
void connection_hold(struct connection *connection);
void connection_go(struct connection *connection);

enum connection_sent {
    CONNECTION_SENT,      // all of it is with the kernel, or encrypted: it need not stay any longer
    CONNECTION_PENDING,   // the rest follows by itself; `release` is called once it has gone out or the socket closed
    CONNECTION_BUSY,      // something shared is still under way: nothing was taken, try again at `writable`
    CONNECTION_GONE,      // the socket is closed or closing: nothing was taken
};
// Sends bytes that are framed already, straight from where they stand: one writev, no copy.
//   slices: at most 16 in all; bytes before `shared_from` are copied when they have to wait (a head of the caller's
//           own), the others must stay until this returns, and after CONNECTION_PENDING until `release`.
//   release: sent: all of it is with the kernel; else the connection ended before it was.
enum connection_sent connection_send(struct connection *connection, const struct iovec *slices, int slice_count,
                                     int shared_from, void (*release)(void *pin, bool sent), void *pin);
// Sends a close frame after what is pending; `closed` follows. reason: at most 120 bytes.
void connection_close(struct connection *connection, int code, const char *reason);
// What is left of the shared message is copied, so that it need not stand any more; `release` still comes when it is
// out.   False: no memory, and the connection is lost.
bool connection_keep(struct connection *connection);
// It is going to be sent to soon: brings what that needs into the cache. Never reads or waits.
void connection_foresee(const struct connection *connection);
// Bytes that were to be sent so far, before encryption: those that have been accepted and those that wait.
uint64_t connection_bytes_given(const struct connection *connection);
// All of them have been given to the socket: what is said now comes behind them.
bool connection_clear(const struct connection *connection);
// Of these, about how many are not on their way yet. A system call.
uint64_t connection_waiting_bytes(const struct connection *connection);
// Of these, about how many the peer's kernel has not acknowledged yet. A system call: for now and then.
uint64_t connection_unsent_bytes(const struct connection *connection);
// Bytes on the wire that the peer's kernel has taken so far, and how many more it would take now: its room shrinks
// while its program does not read. False where the system does not tell. A system call.
bool connection_peer_room(const struct connection *connection, uint64_t *taken, uint64_t *room);
