#include "net/io_loop.h"

#include <stdio.h>

#include "base/check.h"
#include "base/frames.h"
#include "net/poll_room.h"

enum { IO_LOOP_HANDOVERS = 4096, IO_LOOP_FAREWELL_MS = 1000, IO_LOOP_OTHERS = 256 };

static void io_loop_tick_at(struct io_loop *loop, uint64_t at_ns)
{
    if (at_ns >= loop->tick_ns || loop->stopping)
        return;
    loop->tick_ns = at_ns;
    alarm_set(&loop->alarm, loop->shared->clock, at_ns);
}

static void io_loop_on_tick(uv_poll_t *poll, int status, int events)
{
    struct io_loop *loop = poll->data;
    const struct net_handlers *handlers = &loop->shared->handlers;
    uint64_t now_ns = clock_now_ns(loop->shared->clock), due_ns = loop->tick_ns;
    loop->tick_ns = UINT64_MAX;
    io_loop_tick_at(loop, now_ns < due_ns ? due_ns : handlers->tick(handlers->context, loop->index, now_ns));
    if (loop->tick_ns == UINT64_MAX)
        alarm_set(&loop->alarm, loop->shared->clock, UINT64_MAX);
}

void io_loop_wake_at(struct io_loop *loop, uint64_t at_ns)
{
    if (pthread_equal(atomic_load(&loop->self), pthread_self())) {
        io_loop_tick_at(loop, at_ns);
        return;
    }
    uint_fast64_t wished_ns = atomic_load(&loop->wished_ns);
    while (at_ns < wished_ns)
        if (atomic_compare_exchange_weak(&loop->wished_ns, &wished_ns, at_ns)) {
            uv_async_send(&loop->wake);
            return;
        }
}

bool io_loop_has_room(const struct io_loop *loop)
{
    return atomic_load(&loop->on_their_way) < IO_LOOP_HANDOVERS;
}

void io_loop_hand_over(struct io_loop *loop, struct handover *handover)
{
    atomic_fetch_add(&loop->load, 1);
    atomic_fetch_add(&loop->on_their_way, 1);
    check(queue_push(&loop->handovers, &handover));
    uv_async_send(&loop->wake);
}

static struct connection *io_loop_first(struct list *list)
{
    return list_empty(list) ? NULL : list_item(list->next, struct connection, link);
}

static void io_loop_on_sweep(uv_timer_t *timer)
{
    struct io_loop *loop = timer->data;
    struct connection *connection;
    uint64_t now_ms = uv_now(&loop->uv);
    while ((connection = io_loop_first(&loop->closing)) && connection->due_ms <= now_ms)
        connection_give_up(connection);
    while ((connection = io_loop_first(&loop->open)) && connection->due_ms <= now_ms)
        connection_ping(connection);
}

static void io_loop_on_farewell(uv_timer_t *timer)
{
    struct io_loop *loop = timer->data;
    struct connection *connection;
    while ((connection = io_loop_first(&loop->closing)))
        connection_doom(connection);
}

static void io_loop_begin_stop(struct io_loop *loop)
{
    struct connection *connection;
    loop->stopping = true;
    uv_poll_stop(&loop->tick);
    while ((connection = io_loop_first(&loop->open)))
        connection_close(connection, 1001, "the server goes");
    uv_timer_start(&loop->sweep, io_loop_on_farewell, IO_LOOP_FAREWELL_MS, 0);
}

static void io_loop_on_wake(uv_async_t *wake)
{
    struct io_loop *loop = wake->data;
    struct handover *handover;
    while (queue_pop(&loop->handovers, &handover)) {
        atomic_fetch_sub(&loop->on_their_way, 1);
        connection_adopt(loop, handover);
    }
    io_loop_tick_at(loop, atomic_exchange(&loop->wished_ns, UINT64_MAX));
    if (atomic_load(&loop->stop) && !loop->stopping)
        io_loop_begin_stop(loop);
}

static void io_loop_finish_handles(struct io_loop *loop)
{
    loop->finished = true;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
    uv_close((uv_handle_t *)&loop->sweep, NULL);
    uv_close((uv_handle_t *)&loop->reap, NULL);
}

// Before the loop sleeps: ends what has ended, outside of every call that could still be using it.
static void io_loop_on_reap(uv_prepare_t *prepare)
{
    struct io_loop *loop = prepare->data;
    struct connection *connection;
    while ((connection = io_loop_first(&loop->doomed)))
        connection_destroy(connection);
    if (loop->sends > 0) {
        atomic_fetch_add_explicit(&loop->shared->stats.bytes_sent, loop->bytes_sent, memory_order_relaxed);
        atomic_fetch_add_explicit(&loop->shared->stats.sends, loop->sends, memory_order_relaxed);
    }
    loop->sends = loop->bytes_sent = 0;
    if (loop->stopping && !loop->finished && list_empty(&loop->open) && list_empty(&loop->closing))
        io_loop_finish_handles(loop);
}

static void io_loop_run(void *argument)
{
    struct io_loop *loop = argument;
    atomic_store(&loop->self, pthread_self());
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void io_loop_prepare(struct io_loop *loop)
{
    const struct net_limits *limits = &loop->shared->limits;
    uint32_t sweep_ms = net_sweep_ms(limits->ping_ms, limits->close_ms);
    uv_poll_start(&loop->tick, UV_READABLE, io_loop_on_tick);
    uv_timer_init(&loop->uv, &loop->sweep);
    uv_prepare_init(&loop->uv, &loop->reap);
    loop->wake.data = loop->tick.data = loop->sweep.data = loop->reap.data = loop;
    uv_timer_start(&loop->sweep, io_loop_on_sweep, sweep_ms, sweep_ms);
    uv_prepare_start(&loop->reap, io_loop_on_reap);
    list_init(&loop->open);
    list_init(&loop->closing);
    list_init(&loop->doomed);
}

// What the loop cannot be without. False: no memory, or no descriptor is left.
static bool io_loop_open(struct io_loop *loop)
{
    if (uv_loop_init(&loop->uv) != 0)
        return false;
    if (uv_async_init(&loop->uv, &loop->wake, io_loop_on_wake) == 0) {
        if (uv_poll_init(&loop->uv, &loop->tick, loop->alarm.descriptor) == 0)
            return true;
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    uv_loop_close(&loop->uv);
    return false;
}

static enum status io_loop_begin(struct io_loop *loop)
{
    char name[16];
    const struct net_limits *limits = &loop->shared->limits;
    (void)poll_room_claim(&loop->uv, limits->max_connections + limits->door_sockets + IO_LOOP_OTHERS);
    io_loop_prepare(loop);
    snprintf(name, sizeof name, "io-%d", loop->index);
    if (thread_start(&loop->thread, name, THREAD_IO, io_loop_run, loop) == STATUS_OK)
        return STATUS_OK;
    io_loop_finish_handles(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    return STATUS_MEMORY;
}

enum status io_loop_start(struct io_loop *loop, struct net_shared *shared, int index)
{
    loop->shared = shared;
    loop->index = index;
    loop->tick_ns = UINT64_MAX;
    atomic_init(&loop->wished_ns, UINT64_MAX);
    if (queue_init(&loop->handovers, sizeof(struct handover *), IO_LOOP_HANDOVERS) != STATUS_OK)
        return STATUS_MEMORY;
    enum status status = STATUS_MEMORY;
    if (alarm_init(&loop->alarm) == STATUS_OK && io_loop_open(loop))
        status = io_loop_begin(loop);
    if (status != STATUS_OK) {
        alarm_finish(&loop->alarm);
        queue_finish(&loop->handovers);
    }
    return status;
}

void io_loop_stop(struct io_loop *loop)
{
    atomic_store(&loop->stop, true);
    uv_async_send(&loop->wake);
    thread_join(&loop->thread);
    check(uv_loop_close(&loop->uv) == 0);
    alarm_finish(&loop->alarm);
    queue_finish(&loop->handovers);
}
