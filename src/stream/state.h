// What a stream is made of: its loops, its listeners' places, what all of them share.
#pragma once
#include <stdatomic.h>

#include "base/queue.h"
#include "control/wishes.h"
#include "os/slab.h"
#include "stream/admission.h"
#include "stream/budget.h"
#include "stream/closings.h"
#include "stream/joins.h"
#include "stream/phases.h"
#include "stream/schedule.h"
#include "stream/shelf.h"
#include "stream/stream.h"

struct listener;

enum { TOLD_BYTES = 2048, STREAM_REASON_BYTES = 96 };

// A `status` message, written once per loop for all of its listeners. len 0: not written yet.
struct told {
    uint64_t sequence;
    size_t len;
    char text[TOLD_BYTES];
};

enum told_kind { TOLD_V2, TOLD_V0, TOLD_KINDS };

// What one turn of a loop has sent; added to the statistics when it is over.
struct stream_turn {
    uint64_t chunks_sent[STREAM_PROTOCOLS], bytes_sent[STREAM_PROTOCOLS];
};

// Belongs to one I/O loop's thread.
struct stream_loop {
    struct stream *stream;
    int index;
    struct schedule schedule;
    struct budget budget;
    struct phases phases;
    struct shelf shelf;           // empty between turns
    struct joins joins;
    struct stream_turn turn;
    struct histogram lateness_ns; // of each chunk: accepted by the kernel, after its due time
    struct listener *listeners;   // list of all that are open
    uint64_t wake_ns;             // the earliest tick that has been asked for
    bool ticking;
    int ranges;                   // of its listeners, that are under way
    atomic_bool spliced;          // what some were sent is out of date; set by any thread
    bool draining;                // its listeners have been told
    struct told *told;            // TOLD_KINDS for each station
    int wishes;                   // of its listeners, that have not been answered
    struct queue answers;         // of struct steering *: what has come of them
};

struct stream {
    struct stream_config config;
    struct stream_stats stats;
    struct admission *admission;
    struct closings closings;
    struct slab places;                   // struct listener, max_listeners of them
    atomic_uint next_number;
    atomic_uint_fast64_t refusals;        // spreads when they come back
    _Atomic(struct net_server *) server;  // NULL until attached
    struct stream_loop *loops;
    int loop_count;
    struct wishes *wishes;
    char *silence;                        // base64 of one legacy chunk
    char drain_reason[STREAM_REASON_BYTES];
    uint64_t drain_period_ns;
    atomic_bool refusing;                 // newcomers: memory is short
    atomic_uint_fast64_t lead_limit_frames;
    atomic_uint_fast64_t drain_until_ns;  // 0: not draining; set after the two above
};
