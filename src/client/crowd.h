// All listeners of one run: what they share. Within src/client/ only.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <jansson.h>
#include <openssl/types.h>
#include <uv.h>

#include "base/text.h"
#include "client/client.h"
#include "client/clock_map.h"
#include "client/decoder.h"
#include "client/frame_reader.h"
#include "client/upgrade.h"
#include "client/tally.h"
#include "client/url.h"
#include "os/clock.h"

struct crowd;
struct member;

enum { CROWD_READ_BYTES = 256 * 1024, CROWD_ANSWER_BYTES = 8 * 1024, CROWD_STEERS = 64 };

// A change of the music that was asked for.
struct steer {
    int64_t asked_ns;
    uint32_t sequence;           // as the server numbers it; 0: it has not answered yet
};

// One protocol: how it asks, and what its messages mean.
struct dialect {
    const char *subprotocol;     // offered; NULL: none
    uint64_t span;               // tally.h
    bool unix_time;              // its times are unix times: where those are everybody's, the map begins with a guess
    // Path and query of listener `index`.
    void (*target)(const struct crowd *crowd, int index, struct text *out);
    // A whole message. False when it breaks the protocol.
    bool (*text)(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns);
    bool (*binary)(struct member *member, const uint8_t *bytes, size_t len, int64_t arrival_ns);
    // When the chunk at tally.steady_from was due; INT64_MAX when it is not known.
    int64_t (*first_due_ns)(const struct member *member);
    // The body of a ping that carries `stamp`.
    void (*ping)(struct text *out, int64_t stamp);
    // Asks for another bit rate; NULL where there is none.
    void (*change)(struct member *member);
    // Asks for a change of the music, which is the crowd's number `number`; NULL where that is not told of.
    void (*steer)(struct member *member, uint64_t number);
};

extern const struct dialect dialect_opus, dialect_pcm, dialect_v0, dialect_v1;

struct crowd {
    const struct client_config *config;
    struct client_report *report;
    const struct dialect *dialect;
    struct url url;
    SSL_CTX *tls;                // NULL: plain
    struct sockaddr_storage address;
    socklen_t address_len;
    struct upgrade_key key;    // one for all: it proves that a server understood, no more
    struct clock clock;          // as fast as the server's; the loop's timers are real
    struct clock_map map;        // one server, one clock: what any listener learns holds for all
    struct member *members;
    int started, settled;        // connects begun; of these, greeted or failed
    int open;                    // greeted and not closed
    int64_t start_ns;
    struct tally_window window;  // INT64_MAX until all have been greeted or refused
    uv_loop_t loop;
    uv_prepare_t turn;           // once before each wait
    uv_timer_t lag_timer, ping_timer, tick_timer, stop_timer, stall_timer;
    uv_signal_t interrupt;
    int64_t lag_last_ns;
    uv_timer_t steer_timer, look_timer;
    struct steer steers[CROWD_STEERS];   // the last ones, by number
    int pings, ping_last;        // sent; listener that sent the last
    uint8_t *buffer;             // CROWD_READ_BYTES, for every read
};

// Runs all listeners to the end. Everything above `loop` is set, the loop is ready.
void crowd_run(struct crowd *crowd);
int64_t crowd_now_ns(const struct crowd *crowd);
// Keeps the first failure.
__attribute__((format(printf, 2, 3))) void crowd_failure(struct crowd *crowd, const char *format, ...);
// The server has numbered a change that was asked for.
void crowd_steered(struct crowd *crowd, uint64_t number, uint32_t sequence);
// When that change was asked for; 0: not by this crowd, or too long ago.
int64_t crowd_asked_ns(const struct crowd *crowd, uint32_t sequence);
// A pong: `stamp` as it was sent, the server's time in ms.
void crowd_pong(struct crowd *crowd, double stamp, double t1_ms, double t2_ms, int64_t arrival_ns);
