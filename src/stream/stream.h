// Listeners: who gets which chunk when. One file per protocol (v2, v1, v0) over what they share: cursor, pace, phase.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/status.h"
#include "control/control.h"
#include "control/errands.h"
#include "net/server.h"
#include "os/clock.h"
#include "timeline/tapes.h"
#include "timeline/timeline.h"

enum {
    STREAM_RANGE_SECONDS = 120,           // no range is longer
    STREAM_RANGE_WAY_CHUNKS = 100,        // that one counts for the way there, for the address that asks
    STREAM_RANGE_CHUNKS_A_MINUTE = 1310,  // what an address gets: the longest with its lead-in, and its way
};

// A station as the network sees it. Everything outlives the stream.
struct stream_station {
    const char *name;
    uint64_t seed, origin_ns, lead_frames;
    int64_t origin_unix_ns;
    uint32_t decoder_delay_frames;           // of Opus
    const char *encoder_ids[FORMAT_COUNT];   // name the encoders of the Opus rungs: packets are comparable between
                                             // equal ids; NULL for the others
    struct timeline *timeline;
    struct sequencer *sequencer;
};

struct stream_config {
    const struct clock *clock;
    const struct stream_station *stations;   // the first is the one that old clients get
    int station_count;
    const char *version;                     // "0.1.0"
    int max_listeners;                       // 503 beyond
    int max_per_address;                     // open at once; 0: no limit
    int max_attempts_v2, max_attempts_legacy;// per address and minute; 0: no limit
    bool limit_loopback;                     // apply the limits per address to loopback too
    const char *jwt_secret;                  // NULL: tokens are refused
    const char *const *origins;              // further allowed origins, NULL-terminated
    const char *const *hosts;                // further allowed Host names, NULL-terminated
    struct tapes *tapes;                     // of ranges, whose station is a place in `stations`; outlives the stream
    struct errands *errands;                 // who makes them takes those from here; NULL: nobody does
    uint64_t burst_chunks_per_second;        // beyond the steady schedule, of each loop; 0: the default (budget.h)
};

enum stream_protocol { STREAM_V2, STREAM_V1, STREAM_V0, STREAM_PROTOCOLS };

enum stream_rung_change { STREAM_RUNG_DOWN, STREAM_RUNG_UP, STREAM_RUNG_CHANGES };

struct stream_stats {
    atomic_int listeners[STREAM_PROTOCOLS];
    atomic_uint_fast64_t chunks_sent[STREAM_PROTOCOLS];
    atomic_uint_fast64_t bytes_sent[STREAM_PROTOCOLS];
    atomic_uint_fast64_t underruns;          // chunks that a socket took later than allowed
    atomic_uint_fast64_t skips;              // listeners moved to a safe position
    atomic_uint_fast64_t resumes;            // listeners who went on where they had stopped
    atomic_uint_fast64_t splices;            // times that a listener is sent again what a change made another
    atomic_uint_fast64_t rung_changes[STREAM_RUNG_CHANGES];
    atomic_uint_fast64_t ranges, refused_ranges, range_chunks_sent;
    atomic_uint_fast64_t burst_waits;        // times that somebody had to wait for a part of a burst
    atomic_uint_fast64_t refused_full, refused_address, refused_attempts, refused_token, refused_request,
        refused_memory;
    atomic_uint_fast64_t memory_faults;      // listeners that were closed for want of memory
    atomic_uint_fast64_t closed_slow, closed_policy, closed_protocol;
    atomic_uint_fast64_t refused_failed, closed_failed;   // their station was given up
    struct histogram jitter_ns;              // |interval - 100 ms| of legacy listeners, as estimated
    atomic_uint_fast64_t player_reports, player_underruns;   // as v2 players report them
    struct histogram player_lead_ns;
};

struct stream;

// Errors: STATUS_MEMORY.
MUST_USE enum status stream_create(struct stream **stream, const struct stream_config *config);
// The server must be gone. Accepts NULL.
void stream_destroy(struct stream *stream);
// Handlers for net_create, all but `request`, which is left to the caller.
struct net_handlers stream_handlers(struct stream *stream);
// The server that carries it; set once, right after net_create. Who comes earlier is told to try again (503).
void stream_attach(struct stream *stream, struct net_server *server);
// The server is about to be destroyed: no station wakes it any more, and no listener's wish is taken. Harmless when it
// was never attached.
void stream_detach(struct stream *stream);
// Tells everybody that the server goes (v2: goodbye, v1: shutdown_warning), lets old clients have what is due for
// drain_ns, closes with 1000 or 1001. Any thread; returns at once.
void stream_drain(struct stream *stream, const char *reason, uint64_t drain_ns);
// Memory is short: newcomers are refused (503), and ranges too, until it is not. Any thread.
void stream_refuse(struct stream *stream, bool refuse);
// No v2 listener is sent chunks further ahead than this, nor than its station's lead; UINT64_MAX: no limit. Those who
// are connected are told and move there gradually (wire/lead.h). What is sent further ahead than before must be
// rendered before this is called. Any thread.
void stream_limit_lead(struct stream *stream, uint64_t frames);
int stream_listeners(const struct stream *stream);
const struct stream_stats *stream_stats(const struct stream *stream);
// How late chunks were: accepted by the kernel, after their due time; all loops together.
void stream_lateness(const struct stream *stream, struct histogram *lateness_ns);
