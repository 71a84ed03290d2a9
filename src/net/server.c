#include "net/server.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/door.h"
#include "net/io_loop.h"
#include "net/shared.h"
#include "net/socket.h"
#include "net/tls_stream.h"

struct net_server {
    struct net_shared shared;
    struct door door;
    struct io_loop *loops;
    int loop_count;     // those that run
    uint16_t port;
};

enum { SERVER_CONNECTIONS = 4096 };

const struct net_limits net_default_limits = {
    .request_ms = 10000, .idle_ms = 30000, .crowded_ms = 1000, .ping_ms = 25000, .close_ms = 5000, .door_sockets = 2048,
    .max_connections = SERVER_CONNECTIONS, .accept_wait_ms = 5000, .frames_per_second = 1000};

uint32_t net_sweep_ms(uint32_t a_ms, uint32_t b_ms)
{
    uint32_t ms = (a_ms < b_ms ? a_ms : b_ms) / 4;
    return ms < 10 ? 10 : ms > 1000 ? 1000 : ms;
}

static void *server_claim(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

static void server_stop_loops(struct net_server *server)
{
    for (int i = 0; i < server->loop_count; i++)
        io_loop_stop(&server->loops[i]);
}

static void server_free(struct net_server *server)
{
    SSL_CTX_free(server->door.tls);
    SSL_CTX_free(atomic_load(&server->door.next_tls));
    BIO_meth_free(server->shared.tls_method);
    free(server->loops);
    slab_finish(&server->shared.connections);
    free(server);
}

static enum status server_start(struct net_server *server, int loop_count, int listener)
{
    server->loops = server_claim((size_t)loop_count * sizeof *server->loops);
    enum status status = server->loops ? STATUS_OK : STATUS_MEMORY;
    while (status == STATUS_OK && server->loop_count < loop_count) {
        status = io_loop_start(&server->loops[server->loop_count], &server->shared, server->loop_count);
        server->loop_count += status == STATUS_OK;
    }
    if (status != STATUS_OK) {
        close(listener);
        return status;
    }
    return door_start(&server->door, &server->shared, server->loops, loop_count, listener);
}

// More than may be open: one that has closed keeps its place until its loop has come around.
static enum status server_claim_connections(struct net_shared *shared)
{
    int wished = shared->limits.max_connections;
    uint32_t most = (uint32_t)(wished > 0 ? wished : SERVER_CONNECTIONS);
    return slab_init(&shared->connections, most + most / 4 + 64, sizeof(struct connection));
}

// A listening socket; 0: none.
static void server_close(int listener)
{
    if (listener > 0)
        close(listener);
}

enum status net_create_limited(struct net_server **result, const struct net_config *config,
                               const struct net_limits *limits)
{
    int listener = config->listener;
    struct net_server *server = server_claim(sizeof *server);
    *result = NULL;
    if (!server) {
        SSL_CTX_free(config->tls);
        server_close(listener);
        return STATUS_MEMORY;
    }
    server->shared.handlers = *config->handlers;
    server->shared.clock = config->clock;
    server->shared.proxies = config->proxies;
    server->shared.limits = *limits;
    snprintf(server->shared.server_name, sizeof server->shared.server_name, "%s", config->server_name);
    enum status status = server_claim_connections(&server->shared);
    if (status == STATUS_OK)
        status = listener > 0 ? socket_take(listener, &server->port)
                              : socket_listen(config->address, config->port, &listener, &server->port);
    if (status != STATUS_OK)
        server_close(listener);
    *result = server;
    server->door.tls = config->tls;
    if (config->tls && !(server->shared.tls_method = tls_stream_method_create()) && status == STATUS_OK) {
        close(listener);
        status = STATUS_MEMORY;
    }
    if (status == STATUS_OK)
        status = server_start(server, config->loops > 0 ? config->loops : thread_processors(), listener);
    if (status != STATUS_OK) {
        *result = NULL;
        server_stop_loops(server);
        server_free(server);
    }
    return status;
}

enum status net_create(struct net_server **server, const struct net_config *config)
{
    struct net_limits limits = net_default_limits;
    limits.accept_rate = (uint32_t)config->accept_rate;
    limits.sockets_per_address = config->max_sockets_per_address;
    limits.limit_loopback = config->limit_loopback;
    if (config->max_connections > 0)
        limits.max_connections = config->max_connections;
    if (config->door_sockets > 0)
        limits.door_sockets = config->door_sockets;
    if (config->ping_s > 0)
        limits.ping_ms = (uint32_t)config->ping_s * 1000;
    return net_create_limited(server, config, &limits);
}

void net_use_tls(struct net_server *server, SSL_CTX *tls)
{
    check(server->shared.tls_method);
    door_use_tls(&server->door, tls);
}

int net_listener(const struct net_server *server)
{
    return server->door.listener;
}

void net_stop_accepting(struct net_server *server)
{
    door_stop_accepting(&server->door);
}

void net_destroy(struct net_server *server)
{
    if (!server)
        return;
    door_stop(&server->door);
    server_stop_loops(server);
    server_free(server);
}

uint16_t net_port(const struct net_server *server)
{
    return server->port;
}

int net_loops(const struct net_server *server)
{
    return server->loop_count;
}

const struct net_stats *net_stats(const struct net_server *server)
{
    return &server->shared.stats;
}

void net_wake_at(struct net_server *server, int loop, uint64_t at_ns)
{
    check(loop >= 0 && loop < server->loop_count);
    io_loop_wake_at(&server->loops[loop], at_ns);
}
