#include "client/address.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int address_try(const struct addrinfo *address, int limit_s)
{
    struct timeval limit = {.tv_sec = limit_s};
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int address_connect(const struct addrinfo *list, int limit_s, const struct addrinfo **taken)
{
    for (const struct addrinfo *at = list; at; at = at->ai_next) {
        int fd = address_try(at, limit_s);
        if (fd < 0)
            continue;
        *taken = at;
        return fd;
    }
    return -1;
}
