// Benchmarks: each prints figures of one kind. Cases that are to be compared are run in turn, again and again, so that
// what else the machine does falls on all alike; the least is the cost, the median tells how noisy it was. Where music
// goes on from run to run no two are alike, and the mean is the cost.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/status.h"

enum { BENCH_REPEATS_MAX = 64, BENCH_CASES_MAX = 64, BENCH_NAME_BYTES = 48 };

// One thing to be timed.
struct bench_case {
    char name[BENCH_NAME_BYTES];
    void (*prepare)(void *context);          // before each run, not timed; may be NULL
    void (*run)(void *context);
    void *context;
    uint64_t least_ns, median_ns, mean_ns;   // CPU time of the calling thread for one run; out
};

struct bench_output {
    json_t *rows;                   // {"name", "unit", "note"} with {"best", "median"}, {"mean"} or {"value"}
};

struct bench_options {
    const char *name;
    bool json, list;
    const char *listeners;          // fanout: sizes, "10,100"; stalled: one
    double duration_s;              // fanout, stalled: how long each is timed
    bool largest;                   // fanout: also look for the largest size that is punctual
};

struct bench {
    const char *name, *line;
    // Errors: STATUS_MEMORY, STATUS_IO, STATUS_INVALID (an option).
    enum status (*run)(const struct bench_options *options, struct bench_output *output);
};

// Runs all cases in turn, `repeats` times.
void bench_measure(struct bench_case *cases, int count, int repeats);
// Each adds a row.   best, median, mean, value: in `unit`; NAN: it could not be measured.   note: may be NULL.
__attribute__((format(printf, 6, 7))) void bench_best(struct bench_output *output, double best, double median,
                                                      const char *unit, const char *note, const char *name, ...);
// Of all runs.
__attribute__((format(printf, 5, 6))) void bench_mean(struct bench_output *output, double mean, const char *unit,
                                                      const char *note, const char *name, ...);
// What was not timed run by run: a count, a size, a ratio.
__attribute__((format(printf, 5, 6))) void bench_value(struct bench_output *output, double value, const char *unit,
                                                       const char *note, const char *name, ...);

extern const struct bench bench_compose, bench_fanout, bench_memory, bench_scenes, bench_splice, bench_stalled,
    bench_stations, bench_synth, bench_units, bench_voice;
