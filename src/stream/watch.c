#include "stream/watch.h"

// So long a listener may keep chunks that others could do without.
#define WATCH_LET_GO_NS NS_PER_SECOND
// Whether a client reads is asked of everybody, so not often: a system call of half a microsecond.
#define WATCH_ROOM_NS NS_PER_SECOND

struct ladder_view watch_view(struct listener *listener, uint64_t now_ns, bool ask)
{
    uint64_t given = connection_bytes_given(listener->connection);
    uint64_t unsent = ask ? connection_unsent_bytes(listener->connection) : 0;
    struct ladder_view view = {
        .now_ns = now_ns,
        .sent_bytes = given,
        .moved_bytes = given > unsent ? given - unsent : 0,
        .full = listener->blocked,
    };
    if (now_ns >= listener->room_look_ns) {
        listener->room_look_ns = now_ns + WATCH_ROOM_NS;
        view.room_known = connection_peer_room(listener->connection, &view.taken_bytes, &view.room_bytes);
    }
    return view;
}

enum ladder_step watch_step(struct listener *listener, const struct ladder_view *view)
{
    const char *reason;
    enum ladder_step step = ladder_look(&listener->ladder, view, &reason);
    if (step != LADDER_CLOSE)
        return step;
    listener_close(listener, 1008, CLOSE_SLOW, reason);
    return LADDER_STAY;
}

void watch_stuck(struct listener *listener, uint64_t now_ns)
{
    struct ladder_view view = watch_view(listener, now_ns, listener->blocked);
    (void)watch_step(listener, &view);
}

bool watch_lets_go(const struct listener *listener, uint64_t now_ns)
{
    return listener->blocked && now_ns - listener->pin.since_ns >= WATCH_LET_GO_NS;
}

void watch(struct listener *listener, uint64_t now_ns)
{
    if (now_ns < listener->look_ns)
        return;
    listener->look_ns = now_ns + WATCH_NS;
    if (watch_lets_go(listener, now_ns))
        batch_let_go(listener);
    listener->protocol->look(listener, now_ns);
}
