// One I/O loop: a thread with the sockets that were handed to it, their pings and time-outs, and the handler's `tick`.
#pragma once
#include <stdatomic.h>
#include <uv.h>

#include "base/queue.h"
#include "net/connection.h"
#include "net/shared.h"
#include "os/alarm.h"
#include "os/thread.h"

enum { IO_LOOP_READ_BYTES = 65536 };

struct io_loop {
    uv_loop_t uv;
    uv_async_t wake;             // a handover, an earlier tick, the end
    uv_poll_t tick;              // the alarm has gone off
    uv_timer_t sweep;
    uv_prepare_t reap;
    struct thread thread;
    struct net_shared *shared;
    int index;
    struct queue handovers;      // struct handover *
    atomic_int on_their_way;     // in that queue
    atomic_int load;             // sockets here and on their way
    _Atomic(pthread_t) self;
    atomic_uint_fast64_t wished_ns;  // earliest tick that another thread asked for
    atomic_bool stop;
    bool stopping, finished;
    struct alarm alarm;
    uint64_t tick_ns;            // the tick that it is set to
    uint64_t sends, bytes_sent;  // not yet in the statistics
    struct list open;            // by the time of the next ping
    struct list closing;         // by the time of their end
    struct list doomed;
    uint8_t input[IO_LOOP_READ_BYTES];
};

// Errors: STATUS_MEMORY, also for want of descriptors.
MUST_USE enum status io_loop_start(struct io_loop *loop, struct net_shared *shared, int index);
// Closes everything with 1001 and ends the thread. Once no other thread hands over any more.
void io_loop_stop(struct io_loop *loop);
// Door thread. There is room for a handover.
bool io_loop_has_room(const struct io_loop *loop);
// Door thread, while there is room.
void io_loop_hand_over(struct io_loop *loop, struct handover *handover);
// Any thread.
void io_loop_wake_at(struct io_loop *loop, uint64_t at_ns);
