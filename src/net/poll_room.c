#include "net/poll_room.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void poll_room_on_event(uv_poll_t *poll, int status, int events)
{
}

// The highest descriptor that there may be.
static int poll_room_highest(int descriptors)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)descriptors)
        descriptors = (int)limit.rlim_cur;
    return descriptors - 1;
}

static bool poll_room_watch(uv_loop_t *loop, int descriptor)
{
    uv_poll_t poll;
    if (uv_poll_init(loop, &poll, descriptor) != 0)
        return false;
    bool watched = uv_poll_start(&poll, UV_READABLE, poll_room_on_event) == 0;
    uv_close((uv_handle_t *)&poll, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return watched;
}

// Watching the highest one makes room for all below it; it stays when that one goes.
bool poll_room_claim(uv_loop_t *loop, int descriptors)
{
    int lowest = socket(AF_UNIX, SOCK_STREAM, 0);
    int highest = lowest < 0 ? -1 : fcntl(lowest, F_DUPFD_CLOEXEC, poll_room_highest(descriptors));
    bool claimed = highest >= 0 && poll_room_watch(loop, highest);
    if (lowest >= 0)
        close(lowest);
    if (highest >= 0)
        close(highest);
    return claimed;
}
