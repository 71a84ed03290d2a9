// A server for the tests. Its WebSockets answer each text by an echo, each binary message by a shared echo, obey a few
// words (test_server.c), and say "too long" to what is.
#pragma once
#include <stdatomic.h>

#include "net/shared.h"
#include "os/thread.h"

struct test_server {
    struct clock clock;
    struct net_server *net;
    struct wakeup gate;                 // "/held" and "/slow/held" are not answered until it is raised
    struct wakeup changed;              // raised after each change of what follows
    atomic_int opened, closed, closed_code, abandoned, writable, released, sent, pending, busy, gone,
        refused_texts, held, counted;
    atomic_int opened_on[2];            // by loop
    atomic_int ticks, max_tick_loop;
    _Atomic uint64_t ticked_at_ns[64], next_tick_ns;
    void *payload;                      // the body of "/static" and of what is sent by "big"
    void *large;                        // the body of "/large", zeros
};

extern const struct net_limits test_limits;

// limits: NULL for test_limits, which are short.
void test_server_start(struct test_server *server, const char *address, const struct net_limits *limits);
// The same over TLS and plain, on one port. Takes tls over.
void test_server_start_tls(struct test_server *server, const struct net_limits *limits, SSL_CTX *tls);
void test_server_stop(struct test_server *server);
// Waits until the counter is at least this.
void test_server_wait(struct test_server *server, atomic_int *counter, int value);
enum { TEST_PAYLOAD_BYTES = 4 << 20, TEST_LARGE_BYTES = 16 << 20 };
