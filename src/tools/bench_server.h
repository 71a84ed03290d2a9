// A whole server and its listeners, as processes of their own: for benchmarks of the program as it is run.
#pragma once
#include <jansson.h>

#include "os/child.h"

enum {
    BENCH_URL_BYTES = 64,
    BENCH_LEAD_S = 10,
    BENCH_SETTLE_S = 30,   // that lead is full after 18 s, of 10,000 who came together somewhat later
};

struct bench_server {
    struct child child;
    char url[BENCH_URL_BYTES];
    char data_directory[64];
};

// Starts `auralis serve` on a free port of 127.0.0.1, with room for so many listeners and a few
// more, and a data directory of its own.
// Errors: STATUS_IO, STATUS_UNSUPPORTED (the system does not tell where this program lies).
MUST_USE enum status bench_server_start(struct bench_server *server, int listeners);
void bench_server_end(struct bench_server *server);

// Starts `auralis listen` with these arguments and --json; the last is NULL.
// Errors: as above.
MUST_USE enum status bench_listen_start(struct child *child, const char *const arguments[]);
// Waits until all of its listeners are connected or refused. For those started with --settle.
void bench_listen_settled(struct child *child);
// Waits for its end.   Returns its report; NULL when there is none.
json_t *bench_listen_finish(struct child *child);

// A number in what they say. NAN when it is not there.
double bench_number(const json_t *report, const char *name);
// Lets them go on for so long.
void bench_sleep(double seconds);

// A number in what /metrics says: the first line that begins with `name`, labels and a blank included. NAN when it is
// not there.
double bench_metric(const char *url, const char *name);
