#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "net/peer.h"

enum { SOCKET_UNACKNOWLEDGED_MS = 60000, SOCKET_SMALL_BYTES = 32 * 1024, SOCKET_UNSENT_BYTES = 16 * 1024 };

#ifndef MSG_NOSIGNAL
enum { MSG_NOSIGNAL = 0 };  // such systems have SO_NOSIGPIPE
#endif

static enum status socket_status(int error)
{
    switch (error) {
    case EADDRINUSE: return STATUS_IN_USE;
    case EACCES:
    case EPERM: return STATUS_DENIED;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return STATUS_INVALID;
    default: return STATUS_IO;
    }
}

static bool socket_address(const char *text, uint16_t port, struct sockaddr_storage *address, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *len = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *len = sizeof *v6;
    return true;
}

static void socket_option(int descriptor, int level, int option, int value)
{
    (void)setsockopt(descriptor, level, option, &value, sizeof value);
}

static bool socket_make_non_blocking(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

static bool socket_port(int descriptor, uint16_t *port)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(descriptor, (struct sockaddr *)&bound, &len) != 0)
        return false;
    *port = ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                             : ((struct sockaddr_in6 *)&bound)->sin6_port);
    return bound.ss_family == AF_INET || bound.ss_family == AF_INET6;
}

static enum status socket_bind(int descriptor, const struct sockaddr_storage *address, socklen_t len,
                               uint16_t *bound_port)
{
    socket_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->ss_family == AF_INET6)
        socket_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (!socket_make_non_blocking(descriptor) || bind(descriptor, (const struct sockaddr *)address, len) != 0 ||
        listen(descriptor, SOMAXCONN) != 0 || !socket_port(descriptor, bound_port))
        return socket_status(errno);
    return STATUS_OK;
}

enum status socket_take(int descriptor, uint16_t *bound_port)
{
    int listens = 0;
    socklen_t len = sizeof listens;
    bool good = getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
    return good && socket_make_non_blocking(descriptor) && socket_port(descriptor, bound_port) ? STATUS_OK : STATUS_IO;
}

enum status socket_listen(const char *address, uint16_t port, int *descriptor, uint16_t *bound_port)
{
    struct sockaddr_storage storage;
    socklen_t len;
    if (!socket_address(address, port, &storage, &len))
        return STATUS_INVALID;
    int fd = socket(storage.ss_family, SOCK_STREAM, 0);
    if (fd < 0)
        return socket_status(errno);
    enum status status = socket_bind(fd, &storage, len, bound_port);
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    *descriptor = fd;
    return STATUS_OK;
}

void socket_peer(const struct sockaddr *address, struct http_peer *peer)
{
    uint8_t bytes[PEER_ADDRESS_BYTES] = {[10] = 0xff, [11] = 0xff};
    if (address->sa_family == AF_INET)
        memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else if (address->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof bytes);
    *peer = peer_at(bytes);
}

static int socket_accept_plain(int listener, struct sockaddr_storage *address, socklen_t *len)
{
#ifdef __linux__
    return accept4(listener, (struct sockaddr *)address, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int fd = accept(listener, (struct sockaddr *)address, len);
    if (fd >= 0)
        (void)socket_make_non_blocking(fd);
    return fd;
#endif
}

int socket_accept(int listener, struct http_peer *peer)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    int fd = socket_accept_plain(listener, &address, &len);
    if (fd < 0)
        return fd;
    socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef TCP_USER_TIMEOUT
    socket_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SOCKET_UNACKNOWLEDGED_MS);
#endif
#ifdef SO_NOSIGPIPE
    socket_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    socket_peer((const struct sockaddr *)&address, peer);
    return fd;
}

void socket_set_send_buffer(int descriptor, size_t bytes)
{
    socket_option(descriptor, SOL_SOCKET, SO_SNDBUF, bytes < INT32_MAX ? (int)bytes : INT32_MAX);
#ifdef TCP_NOTSENT_LOWAT
    if (bytes <= SOCKET_SMALL_BYTES)
        socket_option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SOCKET_UNSENT_BYTES);
#endif
}

void socket_forget_on_close(int descriptor)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

size_t socket_unacknowledged(int descriptor)
{
    int bytes = 0;
#if defined(SIOCOUTQ)
    bool known = ioctl(descriptor, SIOCOUTQ, &bytes) == 0;
#elif defined(SO_NWRITE)
    socklen_t len = sizeof bytes;
    bool known = getsockopt(descriptor, SOL_SOCKET, SO_NWRITE, &bytes, &len) == 0;
#else
    bool known = false;
#endif
    return known && bytes > 0 ? (size_t)bytes : 0;
}

size_t socket_unsent(int descriptor)
{
#if defined(SIOCOUTQNSD)
    int bytes = 0;
    bool known = ioctl(descriptor, SIOCOUTQNSD, &bytes) == 0;
    return known && bytes > 0 ? (size_t)bytes : 0;
#else
    return socket_unacknowledged(descriptor);
#endif
}

bool socket_has_ended(int descriptor)
{
#ifdef POLLRDHUP
    struct pollfd state = {.fd = descriptor, .events = POLLRDHUP};
    const short ended = POLLRDHUP | POLLHUP | POLLERR;
#else
    struct pollfd state = {.fd = descriptor};
    const short ended = POLLHUP | POLLERR;
#endif
    return poll(&state, 1, 0) == 1 && (state.revents & ended) != 0;
}

ssize_t socket_send(int descriptor, const struct iovec *spans, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)spans};
    message.msg_iovlen = (size_t)count;
    ssize_t sent;
    do  // one span is the usual case, and a plain send costs the kernel less
        sent = count == 1 ? send(descriptor, spans->iov_base, spans->iov_len, MSG_NOSIGNAL)
                          : sendmsg(descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}
