// Log-linear histogram of durations in nanoseconds, recorded by any thread without locks, within 1/32 of the value.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 5, HISTOGRAM_BUCKETS = (65 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS };

struct histogram {
    atomic_uint_fast64_t counts[HISTOGRAM_BUCKETS];
    atomic_uint_fast64_t count, sum_ns, max_ns;
};

void histogram_init(struct histogram *histogram);
// Any thread.
void histogram_record(struct histogram *histogram, uint64_t ns);
// The value that a share q (0..1) of all records do not exceed: an upper bound within 1/32, at most the maximum; 0 when
// empty.
uint64_t histogram_quantile(const struct histogram *histogram, double q);
// Records that do not exceed `ns`, to within the bucket that holds it.
uint64_t histogram_count_within(const struct histogram *histogram, uint64_t ns);
// Adds what `from` holds to `into`; both may be recorded into meanwhile.
void histogram_merge(struct histogram *into, const struct histogram *from);
