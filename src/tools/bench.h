// Benchmarks: each prints figures of one kind. Cases that are to be compared are run in turn, again and again, so that
// what else the machine does falls on all alike; the least is the cost, the median tells how noisy it was.
#pragma once
#include <stdint.h>

#include <jansson.h>

#include "base/status.h"

enum { BENCH_REPEATS_MAX = 64, BENCH_CASES_MAX = 64, BENCH_NAME_BYTES = 48 };

// One thing to be timed.
struct bench_case {
    char name[BENCH_NAME_BYTES];
    void (*run)(void *context);
    void *context;
    uint64_t least_ns, median_ns;   // CPU time of the calling thread for one run; out
};

struct bench_output {
    json_t *rows;                   // {"name", "value", "unit", "median", "note"}
};

struct bench {
    const char *name, *line;
    // Errors: STATUS_MEMORY, STATUS_IO.
    enum status (*run)(struct bench_output *output);
};

// Runs all cases in turn, `repeats` times.
void bench_measure(struct bench_case *cases, int count, int repeats);
// Adds a row.   value, median: in `unit`; NAN for no median.   note: may be NULL.
__attribute__((format(printf, 6, 7))) void bench_row(struct bench_output *output, double value, double median,
                                                     const char *unit, const char *note, const char *name, ...);

extern const struct bench bench_compose, bench_memory, bench_stations, bench_synth, bench_units;
