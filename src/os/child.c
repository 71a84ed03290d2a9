#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/frames.h"
#include "os/clock.h"
#include "os/file.h"

enum { CHILD_PATIENCE_MS = 10000, CHILD_LOOK_MS = 10, CHILD_STATM_BYTES = 1024 };

static enum status child_status(int error)
{
    return error == ENOENT ? STATUS_NOT_FOUND : error == EACCES ? STATUS_DENIED : STATUS_IO;
}

static int child_spawn(struct child *child, const char *const argv[], const int pipe_ends[2])
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    error = posix_spawn(&child->pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

// The read end stays here, the write end is the child's alone.
static bool child_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

enum status child_start(struct child *child, const char *const argv[])
{
    int ends[2];
    *child = (struct child){.output = -1};
    if (!child_pipe(ends))
        return STATUS_IO;
    int error = child_spawn(child, argv, ends);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        *child = (struct child){.output = -1};
        return child_status(error);
    }
    child->output = ends[0];
    return STATUS_OK;
}

enum status child_fork(struct child *child, void (*run)(void *context), void *context)
{
    int ends[2];
    *child = (struct child){.output = -1};
    if (!child_pipe(ends))
        return STATUS_IO;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        run(context);
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return STATUS_IO;
    }
    *child = (struct child){.pid = pid, .output = ends[0]};
    return STATUS_OK;
}

// One byte, so that nothing behind the line is taken.
static bool child_byte(struct child *child, char *byte, uint64_t end_ns, const struct clock *clock)
{
    uint64_t now_ns = clock_now_ns(clock);
    struct pollfd wait = {.fd = child->output, .events = POLLIN};
    int left_ms = now_ns >= end_ns ? 0 : (int)((end_ns - now_ns) / NS_PER_MS) + 1;
    return poll(&wait, 1, left_ms) == 1 && read(child->output, byte, 1) == 1;
}

bool child_line(struct child *child, char *line, size_t cap, int limit_ms)
{
    struct clock clock;
    clock_init(&clock, 1);
    uint64_t end_ns = clock_now_ns(&clock) + (uint64_t)limit_ms * NS_PER_MS;
    for (size_t len = 0; len < cap; len++) {
        if (!child_byte(child, &line[len], end_ns, &clock))
            return false;
        if (line[len] == '\n') {
            line[len] = '\0';
            return true;
        }
    }
    return false;
}

size_t child_output(struct child *child, char *bytes, size_t cap)
{
    size_t len = 0;
    ssize_t got;
    while (len < cap - 1 &&
           ((got = read(child->output, bytes + len, cap - 1 - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    bytes[len] = '\0';
    return len;
}

// A process's own clock is as fine as its scheduler, which its file is not.
static bool child_cpu(pid_t pid, uint64_t *cpu_ns)
{
    clockid_t id;
    struct timespec used;
    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &used) != 0)
        return false;
    *cpu_ns = (uint64_t)used.tv_sec * NS_PER_SECOND + (uint64_t)used.tv_nsec;
    return true;
}

static bool child_resident(pid_t pid, uint64_t *bytes)
{
    char path[64], text[CHILD_STATM_BYTES];
    size_t len;
    unsigned long pages;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    if (file_read(path, text, sizeof text, &len) != STATUS_OK || sscanf(text, "%*s %lu", &pages) != 1)
        return false;
    *bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

bool child_cost(const struct child *child, struct child_cost *cost)
{
    return child_cpu(child->pid, &cost->cpu_ns) && child_resident(child->pid, &cost->resident_bytes);
}

static int child_reaped(struct child *child, int state)
{
    close(child->output);
    *child = (struct child){.output = -1};
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

int child_wait(struct child *child)
{
    int state = SIGKILL;   // what is taken for true where nobody tells
    if (child->pid == 0)
        return 0;
    while (waitpid(child->pid, &state, 0) < 0 && errno == EINTR) {
    }
    return child_reaped(child, state);
}

int child_end(struct child *child)
{
    const struct timespec look = {.tv_nsec = CHILD_LOOK_MS * 1000000L};
    int state;
    if (child->pid == 0)
        return 0;
    kill(child->pid, SIGTERM);
    for (int waited_ms = 0; waited_ms < CHILD_PATIENCE_MS; waited_ms += CHILD_LOOK_MS) {
        if (waitpid(child->pid, &state, WNOHANG) == child->pid)
            return child_reaped(child, state);
        nanosleep(&look, NULL);
    }
    kill(child->pid, SIGKILL);
    return child_wait(child);
}

bool child_own_path(char *path, size_t cap)
{
    ssize_t len = readlink("/proc/self/exe", path, cap);
    if (len < 0 || (size_t)len >= cap)
        return false;
    path[len] = '\0';
    return true;
}
