// A program that this one starts, listens to, measures and ends.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

struct child {
    pid_t pid;          // 0: none
    int output;         // its standard output
};

// Starts a program: argv[0] is its path, the last is NULL. Standard error is shared, standard input is empty.
// Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_IO.
MUST_USE enum status child_start(struct child *child, const char *const argv[]);
// Goes on in a second process, which runs `run(context)` with its standard output here and then ends. Only while this
// process has no other threads.   Errors: STATUS_IO.
MUST_USE enum status child_fork(struct child *child, void (*run)(void *context), void *context);
// Reads one line of its output, without the line break. False when none comes within limit_ms, or it does not fit.
bool child_line(struct child *child, char *line, size_t cap, int limit_ms);
// All the rest of its output up to cap - 1 bytes, closed by a zero, until it closes it. Returns the bytes.
size_t child_output(struct child *child, char *bytes, size_t cap);

struct child_cost {
    uint64_t cpu_ns, resident_bytes;
};

// What it has used so far. False when the system does not tell.
bool child_cost(const struct child *child, struct child_cost *cost);
// Asks it to end (SIGTERM), kills it if it does not within 10 s, waits.   Returns its exit status, -1 after a signal.
// Harmless when there is none.
int child_end(struct child *child);
// Waits for its own end. As above.
int child_wait(struct child *child);

// Path of the running program.   False when the system does not tell, or it does not fit.
bool child_own_path(char *path, size_t cap);
