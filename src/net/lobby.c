#include "net/lobby.h"

#include "net/door.h"
#include "net/socket.h"

enum { LOBBY_TURN_MS = 5, LOBBY_MAX = 4096 };

void lobby_init(struct lobby *lobby, struct door *door)
{
    const struct net_limits *limits = &door->shared->limits;
    uint64_t most = (uint64_t)limits->accept_rate * limits->accept_wait_ms / 1000;
    *lobby = (struct lobby){.door = door, .max_count = LOBBY_MAX};
    if (limits->accept_rate > 0)
        lobby->max_count = most < 1 ? 1 : most < INT32_MAX ? (int)most : INT32_MAX;
    list_init(&lobby->waiting);
    uv_timer_init(&door->uv, &lobby->timer);
    lobby->timer.data = lobby;
    ramp_init(&lobby->ramp, limits->accept_rate, uv_now(&door->uv));
}

bool lobby_has_room(const struct lobby *lobby)
{
    return lobby->count < lobby->max_count;
}

static struct handover *lobby_first(struct lobby *lobby)
{
    return list_empty(&lobby->waiting) ? NULL : list_item(lobby->waiting.next, struct handover, link);
}

static void lobby_remove(struct lobby *lobby, struct handover *handover)
{
    list_remove(&handover->link);
    lobby->count--;
    atomic_store(&lobby->door->shared->stats.waiting, lobby->count);
}

static void lobby_give_up(struct lobby *lobby, struct handover *handover)
{
    lobby_remove(lobby, handover);
    handover_abandon(handover, lobby->door->shared);
}

// Those whose turn it is, as far as the loops take them. Who has not waited for it takes nobody else's.
static void lobby_serve(struct lobby *lobby)
{
    struct handover *handover;
    while ((handover = lobby_first(lobby))) {
        struct io_loop *loop = door_choose_loop(lobby->door);
        if (socket_has_ended(handover->transport.descriptor)) {
            lobby_give_up(lobby, handover);
            continue;
        }
        if (!io_loop_has_room(loop) || !ramp_take(&lobby->ramp, uv_now(&lobby->door->uv)))
            return;
        lobby_remove(lobby, handover);
        io_loop_hand_over(loop, handover);
    }
    uv_timer_stop(&lobby->timer);
}

static void lobby_on_turn(uv_timer_t *timer)
{
    lobby_serve(timer->data);
}

void lobby_enter(struct lobby *lobby, struct handover *handover)
{
    list_init(&handover->link);
    list_append(&lobby->waiting, &handover->link);
    lobby->count++;
    atomic_store(&lobby->door->shared->stats.waiting, lobby->count);
    if (lobby->count > 1)
        return;
    uv_timer_start(&lobby->timer, lobby_on_turn, LOBBY_TURN_MS, LOBBY_TURN_MS);
    lobby_serve(lobby);
}

void lobby_close(struct lobby *lobby)
{
    struct handover *handover;
    uv_close((uv_handle_t *)&lobby->timer, NULL);
    while ((handover = lobby_first(lobby)))
        lobby_give_up(lobby, handover);
}
