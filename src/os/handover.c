#include "os/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HANDOVER_WAIT_MS = 10000 };

// Room for one descriptor.
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static bool handover_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return false;
    strcpy(address->sun_path, path);
    return true;
}

static int handover_socket(void)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (descriptor >= 0)
        (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return descriptor;
}

int handover_open(const char *path)
{
    struct sockaddr_un address;
    int descriptor = handover_address(path, &address) ? handover_socket() : -1;
    if (descriptor < 0)
        return -1;
    (void)unlink(path);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 && chmod(path, 0600) == 0 &&
        fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 && listen(descriptor, 1) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

void handover_close(int descriptor, const char *path)
{
    if (descriptor < 0)
        return;
    close(descriptor);
    (void)unlink(path);
}

int handover_asked(int descriptor)
{
    int asker = descriptor < 0 ? -1 : accept(descriptor, NULL, NULL);
    if (asker >= 0)
        (void)fcntl(asker, F_SETFD, FD_CLOEXEC);
    return asker;
}

bool handover_give(int asker, int given)
{
    union control control = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(sizeof given)}};
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    memcpy(CMSG_DATA(&control.head), &given, sizeof given);
    return sendmsg(asker, &message, MSG_NOSIGNAL) == 1;
}

enum handover handover_look(int asker)
{
    char byte;
    ssize_t len = recv(asker, &byte, 1, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return HANDOVER_WAITS;
    return len == 1 ? HANDOVER_READY : HANDOVER_GONE;
}

void handover_ready(int giver)
{
    char byte = 1;
    (void)!send(giver, &byte, 1, MSG_NOSIGNAL);
    close(giver);
}

static enum status handover_receive(int descriptor, int *taken)
{
    union control control;
    char byte;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct pollfd waits = {.fd = descriptor, .events = POLLIN};
    int ready = poll(&waits, 1, HANDOVER_WAIT_MS);
    if (ready <= 0)
        return ready == 0 ? STATUS_TIMEOUT : STATUS_IO;
    ssize_t len = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = len == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
        head->cmsg_len != CMSG_LEN(sizeof *taken))
        return STATUS_CLOSED;
    memcpy(taken, CMSG_DATA(head), sizeof *taken);
    return STATUS_OK;
}

enum status handover_ask(const char *path, int *giver, int *taken)
{
    struct sockaddr_un address;
    int descriptor = handover_address(path, &address) ? handover_socket() : -1;
    if (descriptor < 0)
        return STATUS_NOT_FOUND;
    enum status status = connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0
                             ? handover_receive(descriptor, taken) : STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *giver = descriptor;
    else
        close(descriptor);
    return status;
}
