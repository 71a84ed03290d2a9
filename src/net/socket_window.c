#include "net/socket_window.h"

// The kernel's own header has fields that the C library's lacks, and the two cannot be had together.
#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#endif

bool socket_peer_room(int descriptor, uint64_t *taken, uint64_t *room)
{
#ifdef __linux__
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd)
        return false;
    *taken = info.tcpi_bytes_acked;
    *room = info.tcpi_snd_wnd;
    return true;
#else
    return false;
#endif
}
