// What the door and the I/O loops of one server have in common.
#pragma once
#include <openssl/bio.h>
#include <stdint.h>

#include "net/server.h"
#include "os/slab.h"

// Times in real milliseconds, whatever the clock.
struct net_limits {
    uint32_t request_ms;       // for a request's head, again for its body, and for progress of its answer
    uint32_t idle_ms;          // between requests
    uint32_t crowded_ms;       // for a request and for progress of its answer, while others wait for a place
    uint32_t ping_ms;          // between pings to a listener
    uint32_t close_ms;         // for the close handshake
    int door_sockets;          // at most at the door
    int max_connections;       // WebSockets at most; 0: 4096
    uint32_t accept_rate;      // WebSockets that are let in per second; 0: no limit
    uint32_t accept_wait_ms;   // how long one may have to wait for its turn
    int sockets_per_address;   // at most at the door; 0: no limit
    bool limit_loopback;       // apply that to loopback too
    uint32_t frames_per_second;  // of one WebSocket, control frames and fragments too; 0: no limit
};

struct net_shared {
    struct net_handlers handlers;
    const struct clock *clock;
    char server_name[64];
    struct net_limits limits;
    struct forwarded_proxies proxies;
    BIO_METHOD *tls_method;      // NULL: no TLS
    struct net_stats stats;
    struct slab connections;   // struct connection
};

extern const struct net_limits net_default_limits;

// net_create with other limits than the default ones, for tests.
MUST_USE enum status net_create_limited(struct net_server **server, const struct net_config *config,
                                        const struct net_limits *limits);
// How often to look for what has run out, so that none of `a_ms` and `b_ms` is overrun by much.
uint32_t net_sweep_ms(uint32_t a_ms, uint32_t b_ms);
