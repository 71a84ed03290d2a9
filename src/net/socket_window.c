#include "net/socket_window.h"

// The kernel's own header has fields that the C library's lacks, and the two cannot be had together.
#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#endif

uint64_t socket_room_until(int descriptor)
{
#ifdef __linux__
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    bool known = getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
                 len >= offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd;
    return known ? info.tcpi_bytes_acked + info.tcpi_snd_wnd : 0;
#else
    return 0;
#endif
}
