#include "base/histogram.h"

#include <stddef.h>

// Buckets 0 .. 2*32-1 hold one value each, the later ones 2^n values, 32 buckets to an octave.
static unsigned histogram_bucket(uint64_t ns)
{
    if (ns < (UINT64_C(2) << HISTOGRAM_SUB_BITS))
        return (unsigned)ns;
    unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
    return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(ns >> shift);
}

static uint64_t histogram_bucket_top(unsigned bucket)
{
    if (bucket < (2u << HISTOGRAM_SUB_BITS))
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t mantissa = bucket - ((uint64_t)shift << HISTOGRAM_SUB_BITS);
    return ((mantissa + 1) << shift) - 1;
}

void histogram_init(struct histogram *histogram)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        atomic_init(&histogram->counts[i], 0);
    atomic_init(&histogram->count, 0);
    atomic_init(&histogram->sum_ns, 0);
    atomic_init(&histogram->max_ns, 0);
}

static void histogram_raise_max(struct histogram *histogram, uint64_t ns)
{
    uint_fast64_t max = atomic_load_explicit(&histogram->max_ns, memory_order_relaxed);
    while (ns > max && !atomic_compare_exchange_weak_explicit(&histogram->max_ns, &max, ns, memory_order_relaxed,
                                                              memory_order_relaxed)) {
    }
}

void histogram_record(struct histogram *histogram, uint64_t ns)
{
    atomic_fetch_add_explicit(&histogram->counts[histogram_bucket(ns)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, ns, memory_order_relaxed);
    histogram_raise_max(histogram, ns);
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
    uint64_t count = atomic_load_explicit(&histogram->count, memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&histogram->max_ns, memory_order_relaxed);
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && count > 0; i++) {
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        if (seen > 0 && (double)seen >= q * (double)count) {
            uint64_t top = histogram_bucket_top(i);
            return top < max ? top : max;
        }
    }
    return max;
}

uint64_t histogram_count_within(const struct histogram *histogram, uint64_t ns)
{
    uint64_t seen = 0;
    for (unsigned i = 0, last = histogram_bucket(ns); i <= last; i++)
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    return seen;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        atomic_fetch_add_explicit(&into->counts[i], atomic_load_explicit(&from->counts[i], memory_order_relaxed),
                                  memory_order_relaxed);
    atomic_fetch_add_explicit(&into->count, atomic_load_explicit(&from->count, memory_order_relaxed),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&into->sum_ns, atomic_load_explicit(&from->sum_ns, memory_order_relaxed),
                              memory_order_relaxed);
    histogram_raise_max(into, atomic_load_explicit(&from->max_ns, memory_order_relaxed));
}
