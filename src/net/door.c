#include "net/door.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "net/poll_room.h"
#include "net/socket.h"
#include "net/visitor.h"
#include "os/log.h"

enum { DOOR_ACCEPTS_AT_ONCE = 64, DOOR_PAUSE_MS = 100, DOOR_OTHERS = 256, DOOR_SAY_MS = 10000 };

static void door_on_listening(uv_poll_t *poll, int status, int events);

static struct visitor *door_first(struct list *list)
{
    return list_empty(list) ? NULL : list_item(list->next, struct visitor, link);
}

static void door_watch(struct door *door, bool watch)
{
    if (door->watching == watch || door->listener < 0)
        return;
    door->watching = watch;
    if (watch)
        uv_poll_start(&door->listening, UV_READABLE, door_on_listening);
    else
        uv_poll_stop(&door->listening);
}

void door_has_room(struct door *door)
{
    if (!uv_is_active((uv_handle_t *)&door->pause))
        door_watch(door, true);
}

static void door_on_pause_over(uv_timer_t *timer)
{
    door_watch(timer->data, true);
}

static void door_pause(struct door *door)
{
    door_watch(door, false);
    uv_timer_start(&door->pause, door_on_pause_over, DOOR_PAUSE_MS, 0);
}

static void door_open_reserve(struct door *door)
{
    door->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Of a shortage that lasts one line in ten seconds is enough.
static void door_say_shed(struct door *door)
{
    uint64_t now_ms = uv_now(&door->uv);
    door->shed++;
    if (door->shed_said_ms != 0 && now_ms - door->shed_said_ms < DOOR_SAY_MS)
        return;
    log_warn("no descriptor left: %d connections were refused", door->shed);
    door->shed = 0;
    door->shed_said_ms = now_ms;
}

// There is no descriptor left, and the connection that waits would wake the loop for ever: it is taken by the one in
// reserve and closed.
static void door_shed(struct door *door)
{
    struct http_peer peer;
    if (door->reserve < 0) {
        door_pause(door);
        return;
    }
    close(door->reserve);
    int descriptor = socket_accept(door->listener, &peer);
    if (descriptor >= 0)
        close(descriptor);
    door_open_reserve(door);
    door_say_shed(door);
    door_pause(door);
}

// Who makes room when all places are taken: who has been idle longest, else who has kept its place longest over one
// request. NULL when nobody has to yet.
static struct visitor *door_dispensable(struct door *door)
{
    const struct net_limits *limits = &door->shared->limits;
    struct visitor *visitor = door_first(&door->idle);
    if (!visitor)
        visitor = door_first(&door->lingering);
    if (visitor)
        return visitor;
    visitor = door_first(&door->busy);
    return visitor && uv_now(&door->uv) + limits->request_ms >= visitor->due_ms + limits->crowded_ms ? visitor : NULL;
}

static bool door_is_full(const struct door *door)
{
    return door->visitors >= door->shared->limits.door_sockets;
}

// No descriptor, no memory: whatever it is, it must not wake the loop for ever. Returns whether to go on.
static bool door_accept_failed(struct door *door, int error)
{
    if (error == ECONNABORTED || error == EINTR)
        return true;
    if (error == EMFILE || error == ENFILE)
        door_shed(door);
    else if (error != EAGAIN && error != EWOULDBLOCK)
        door_pause(door);
    return false;
}

static bool door_address_is_full(const struct door *door, const struct http_peer *peer)
{
    const struct net_limits *limits = &door->shared->limits;
    if (limits->sockets_per_address == 0 || (peer->loopback && !limits->limit_loopback))
        return false;
    if (forwarded_trusts(&door->shared->proxies, peer->address))
        return false;
    return callers_count(&door->callers, peer->key) >= limits->sockets_per_address;
}

// Takes one connection. False when there is none, or no more can be taken now.
static bool door_accept(struct door *door)
{
    struct http_peer peer;
    struct visitor *dispensable = door_is_full(door) ? door_dispensable(door) : NULL;
    if (door_is_full(door) && !dispensable) {
        door_watch(door, false);
        return false;
    }
    int descriptor = socket_accept(door->listener, &peer);
    if (descriptor < 0)
        return door_accept_failed(door, errno);
    atomic_fetch_add(&door->shared->stats.accepted, 1);
    if (door_address_is_full(door, &peer)) {
        atomic_fetch_add(&door->shared->stats.refused_by_address, 1);
        close(descriptor);
        return true;
    }
    if (!visitor_welcome(door, descriptor, &peer))
        return false;
    if (dispensable)
        visitor_end(dispensable);
    return true;
}

static void door_on_listening(uv_poll_t *poll, int status, int events)
{
    struct door *door = poll->data;
    if (status < 0) {
        door_pause(door);
        return;
    }
    for (int i = 0; i < DOOR_ACCEPTS_AT_ONCE; i++)
        if (!door_accept(door))
            break;
}

static void door_sweep_list(struct door *door, struct list *list)
{
    struct visitor *visitor;
    while ((visitor = door_first(list)) && visitor->due_ms <= uv_now(&door->uv))
        visitor_timeout(visitor);
}

static void door_on_sweep(uv_timer_t *timer)
{
    struct door *door = timer->data;
    door_sweep_list(door, &door->busy);
    door_sweep_list(door, &door->idle);
    door_sweep_list(door, &door->lingering);
    if (door_is_full(door) && door_dispensable(door))
        door_has_room(door);
}

static void door_close_listener(struct door *door)
{
    if (door->listener < 0)
        return;
    door_watch(door, false);
    uv_close((uv_handle_t *)&door->listening, NULL);
    close(door->listener);
    door->listener = -1;
}

static void door_end_list(struct list *list)
{
    struct visitor *visitor;
    while ((visitor = door_first(list)))
        visitor_end(visitor);
}

static void door_close(struct door *door)
{
    door_close_listener(door);
    clerk_finish(&door->clerk);
    door_end_list(&door->waiting);
    door_end_list(&door->busy);
    door_end_list(&door->idle);
    door_end_list(&door->lingering);
    lobby_close(&door->lobby);
    if (door->reserve >= 0)
        close(door->reserve);
    door->reserve = -1;
    uv_close((uv_handle_t *)&door->wake, NULL);
    uv_close((uv_handle_t *)&door->sweep, NULL);
    uv_close((uv_handle_t *)&door->pause, NULL);
}

static void door_serve(struct door *door)
{
    struct errand *errand;
    while ((errand = clerk_take(&door->clerk))) {
        visitor_served(errand->visitor, &errand->response);
        free(errand);
    }
}

static void door_on_answered(void *context)
{
    struct door *door = context;
    uv_async_send(&door->wake);
}

static void door_on_wake(uv_async_t *wake)
{
    struct door *door = wake->data;
    if (uv_is_closing((uv_handle_t *)wake))
        return;
    door_serve(door);
    SSL_CTX *next_tls = atomic_exchange(&door->next_tls, NULL);
    if (next_tls) {
        SSL_CTX_free(door->tls);
        door->tls = next_tls;
    }
    if (atomic_load(&door->stop_accepting))
        door_close_listener(door);
    if (atomic_load(&door->stop))
        door_close(door);
}

struct io_loop *door_choose_loop(struct door *door)
{
    struct io_loop *best = &door->loops[0];
    for (int i = 1; i < door->loop_count; i++)
        if (atomic_load(&door->loops[i].load) < atomic_load(&best->load))
            best = &door->loops[i];
    return best;
}

static void door_run(void *argument)
{
    struct door *door = argument;
    uv_run(&door->uv, UV_RUN_DEFAULT);
}

static bool door_prepare(struct door *door)
{
    const struct net_limits *limits = &door->shared->limits;
    uint32_t soonest_ms = limits->crowded_ms < limits->request_ms ? limits->crowded_ms : limits->request_ms;
    uint32_t sweep_ms = net_sweep_ms(soonest_ms, limits->idle_ms);
    if (uv_loop_init(&door->uv) != 0)
        return false;
    if (uv_async_init(&door->uv, &door->wake, door_on_wake) != 0) {
        uv_loop_close(&door->uv);
        return false;
    }
    (void)poll_room_claim(&door->uv, limits->max_connections + limits->door_sockets + DOOR_OTHERS);
    uv_timer_init(&door->uv, &door->sweep);
    uv_timer_init(&door->uv, &door->pause);
    check(uv_poll_init(&door->uv, &door->listening, door->listener) == 0);
    door->wake.data = door->sweep.data = door->pause.data = door->listening.data = door;
    list_init(&door->waiting);
    list_init(&door->busy);
    list_init(&door->idle);
    list_init(&door->lingering);
    callers_init(&door->callers);
    lobby_init(&door->lobby, door);
    door_open_reserve(door);
    uv_timer_start(&door->sweep, door_on_sweep, sweep_ms, sweep_ms);
    door_watch(door, true);
    return true;
}

enum status door_start(struct door *door, struct net_shared *shared, struct io_loop *loops, int loop_count,
                       int listener)
{
    door->shared = shared;
    door->loops = loops;
    door->loop_count = loop_count;
    door->listener = listener;
    door->reserve = -1;
    if (!door_prepare(door)) {
        close(listener);
        return STATUS_MEMORY;
    }
    if (clerk_start(&door->clerk, &shared->handlers, door_on_answered, door) == STATUS_OK &&
        thread_start(&door->thread, "door", THREAD_DOOR, door_run, door) == STATUS_OK)
        return STATUS_OK;
    door_close(door);
    uv_run(&door->uv, UV_RUN_DEFAULT);
    uv_loop_close(&door->uv);
    return STATUS_MEMORY;
}

void door_use_tls(struct door *door, SSL_CTX *tls)
{
    SSL_CTX_free(atomic_exchange(&door->next_tls, tls));
    uv_async_send(&door->wake);
}

void door_stop_accepting(struct door *door)
{
    atomic_store(&door->stop_accepting, true);
    uv_async_send(&door->wake);
}

void door_stop(struct door *door)
{
    atomic_store(&door->stop, true);
    uv_async_send(&door->wake);
    thread_join(&door->thread);
    check(uv_loop_close(&door->uv) == 0);
}
