#include "stream/admission.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/frames.h"
#include "base/random.h"

enum { ADMISSION_SPARE = 4096 };   // addresses remembered besides those that have something open

#define ADMISSION_MINUTE_NS (60 * NS_PER_SECOND)

// What is counted is so in a minute that begins with the first of it.
struct admission_minute {
    uint64_t since_ns;
    int count;
};

struct admission_address {
    uint64_t key;
    struct admission_address *chain;           // next in its bucket
    struct admission_address *older, *newer;   // by last use, only while nothing is open
    int open;
    bool used;
    struct admission_minute minutes[ADMISSION_KINDS];
};

struct admission {
    pthread_mutex_t mutex;
    struct admission_limits limits;
    struct admission_address *addresses, **buckets;
    struct admission_address idle;             // ring: idle.newer is the one unused for longest
    size_t bucket_mask;
};

static void admission_idle_insert(struct admission *admission, struct admission_address *address)
{
    address->newer = &admission->idle;
    address->older = admission->idle.older;
    address->older->newer = address;
    admission->idle.older = address;
}

static void admission_idle_remove(struct admission_address *address)
{
    address->older->newer = address->newer;
    address->newer->older = address->older;
}

struct admission *admission_create(const struct admission_limits *limits, int max_listeners)
{
    size_t count = (size_t)max_listeners + ADMISSION_SPARE, buckets = 1;
    while (buckets < count)
        buckets *= 2;
    struct admission *admission = calloc(1, sizeof *admission);
    if (!admission)
        return NULL;
    *admission = (struct admission){.limits = *limits, .bucket_mask = buckets - 1};
    pthread_mutex_init(&admission->mutex, NULL);
    admission->idle.older = admission->idle.newer = &admission->idle;
    admission->addresses = calloc(count, sizeof *admission->addresses);
    admission->buckets = calloc(buckets, sizeof(struct admission_address *));
    if (!admission->addresses || !admission->buckets) {
        admission_destroy(admission);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        admission_idle_insert(admission, &admission->addresses[i]);
    return admission;
}

void admission_destroy(struct admission *admission)
{
    if (!admission)
        return;
    pthread_mutex_destroy(&admission->mutex);
    free(admission->addresses);
    free(admission->buckets);
    free(admission);
}

static struct admission_address **admission_bucket(struct admission *admission, uint64_t key)
{
    return &admission->buckets[random_mix(key) & admission->bucket_mask];
}

static struct admission_address *admission_find(struct admission *admission, uint64_t key)
{
    struct admission_address *address = *admission_bucket(admission, key);
    while (address && address->key != key)
        address = address->chain;
    return address;
}

static void admission_forget(struct admission *admission, struct admission_address *address)
{
    struct admission_address **link = admission_bucket(admission, address->key);
    while (*link != address)
        link = &(*link)->chain;
    *link = address->chain;
}

// The address of that key, made at the cost of the one unused for longest. Open ones are never given up: there are
// more places than listeners.
static struct admission_address *admission_take(struct admission *admission, uint64_t key)
{
    struct admission_address *address = admission_find(admission, key);
    if (address) {
        if (address->open == 0) {
            admission_idle_remove(address);
            admission_idle_insert(admission, address);
        }
        return address;
    }
    address = admission->idle.newer;
    check(address != &admission->idle);
    admission_idle_remove(address);
    if (address->used)
        admission_forget(admission, address);
    struct admission_address **bucket = admission_bucket(admission, key);
    *address = (struct admission_address){.key = key, .used = true, .chain = *bucket};
    *bucket = address;
    admission_idle_insert(admission, address);
    return address;
}

bool admission_exempt(const struct admission *admission, const struct http_peer *peer)
{
    return peer->loopback && !admission->limits.limit_loopback;
}

bool admission_count(struct admission *admission, const struct http_peer *peer, enum admission_kind kind, int count,
                     uint64_t now_ns, int *retry_s)
{
    int max = admission->limits.max_a_minute[kind];
    if (max == 0 || admission_exempt(admission, peer))
        return true;
    pthread_mutex_lock(&admission->mutex);
    struct admission_minute *minute = &admission_take(admission, peer->key)->minutes[kind];
    if (minute->count == 0 || now_ns - minute->since_ns >= ADMISSION_MINUTE_NS)
        *minute = (struct admission_minute){.since_ns = now_ns};
    bool taken = count <= max - minute->count;
    minute->count += taken ? count : 0;
    *retry_s = (int)((minute->since_ns + ADMISSION_MINUTE_NS - now_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
    pthread_mutex_unlock(&admission->mutex);
    return taken;
}

bool admission_enter(struct admission *admission, const struct http_peer *peer)
{
    int max = admission->limits.max_open;
    if (max == 0 || admission_exempt(admission, peer))
        return true;
    pthread_mutex_lock(&admission->mutex);
    struct admission_address *address = admission_take(admission, peer->key);
    bool taken = address->open < max;
    if (taken && address->open++ == 0)
        admission_idle_remove(address);
    pthread_mutex_unlock(&admission->mutex);
    return taken;
}

void admission_leave(struct admission *admission, const struct http_peer *peer)
{
    if (admission->limits.max_open == 0 || admission_exempt(admission, peer))
        return;
    pthread_mutex_lock(&admission->mutex);
    struct admission_address *address = admission_find(admission, peer->key);
    check(address && address->open > 0);
    if (--address->open == 0)
        admission_idle_insert(admission, address);
    pthread_mutex_unlock(&admission->mutex);
}
