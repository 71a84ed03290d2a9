#include "timeline/timeline.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/frames.h"
#include "base/hook.h"
#include "timeline/pool.h"
#include "timeline/records.h"

// One format: its pool, and a slot for each chunk that stays readable, by chunk index modulo their number.
struct lane {
    pthread_mutex_t mutex;   // guards the slots; held for tens of nanoseconds
    struct chunk_pool pool;
    struct chunk **slots;
    uint32_t slot_count;
    uint32_t kept;           // of the slots: fewer while memory is short
    atomic_uint_fast64_t frontier;
    atomic_uint generation;
    uint64_t untold_until;   // a splice is told once there are chunks up to here; 0: none is to be told
    atomic_int readers;
};

struct timeline {
    struct lane lanes[FORMAT_COUNT];
    pthread_mutex_t events_mutex;              // guards all record rings
    struct record_ring events;
    struct record_ring by_kind[EVENT_RECORD_KINDS];
    atomic_uint_fast64_t last_event;
    atomic_int state;                          // enum timeline_state
    struct hook on_demand, on_splice;
};

static enum status lane_init(struct lane *lane, uint32_t kept, size_t chunk_bytes)
{
    pthread_mutex_init(&lane->mutex, NULL);
    lane->slot_count = lane->kept = kept;
    if (kept == 0)
        return chunk_pool_init(&lane->pool, 0, 0);
    lane->slots = calloc(kept, sizeof(struct chunk *));
    enum status status = chunk_pool_init(&lane->pool, timeline_pool_chunks(kept), chunk_bytes);
    return lane->slots ? status : STATUS_MEMORY;
}

static void lane_clear(struct lane *lane)
{
    pthread_mutex_lock(&lane->mutex);
    for (uint32_t i = 0; lane->slots && i < lane->slot_count; i++) {
        chunk_release(lane->slots[i]);
        lane->slots[i] = NULL;
    }
    atomic_store(&lane->frontier, 0);
    pthread_mutex_unlock(&lane->mutex);
}

static void lane_finish(struct lane *lane)
{
    lane_clear(lane);
    chunk_pool_finish(&lane->pool);
    pthread_mutex_destroy(&lane->mutex);
    free(lane->slots);
}

static enum status timeline_init(struct timeline *timeline, const struct timeline_config *config)
{
    enum status status = STATUS_OK;
    pthread_mutex_init(&timeline->events_mutex, NULL);
    hook_init(&timeline->on_demand);
    hook_init(&timeline->on_splice);
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (lane_init(&timeline->lanes[i], config->chunks_kept[i], config->chunk_bytes[i]) != STATUS_OK)
            status = STATUS_MEMORY;
    if (record_ring_init(&timeline->events, TIMELINE_EVENTS) != STATUS_OK)
        status = STATUS_MEMORY;
    for (int i = 0; i < EVENT_RECORD_KINDS; i++)
        if (record_ring_init(&timeline->by_kind[i], TIMELINE_EVENTS_OF_KIND) != STATUS_OK)
            status = STATUS_MEMORY;
    return status;
}

struct timeline *timeline_create(const struct timeline_config *config)
{
    struct timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline && timeline_init(timeline, config) != STATUS_OK) {
        timeline_destroy(timeline);
        return NULL;
    }
    return timeline;
}

void timeline_destroy(struct timeline *timeline)
{
    if (!timeline)
        return;
    for (int i = 0; i < FORMAT_COUNT; i++)
        lane_finish(&timeline->lanes[i]);
    record_ring_finish(&timeline->events);
    for (int i = 0; i < EVENT_RECORD_KINDS; i++)
        record_ring_finish(&timeline->by_kind[i]);
    pthread_mutex_destroy(&timeline->events_mutex);
    hook_finish(&timeline->on_demand);
    hook_finish(&timeline->on_splice);
    free(timeline);
}

struct chunk *timeline_chunk(struct timeline *timeline, enum format format)
{
    struct chunk *chunk = chunk_pool_take(&timeline->lanes[format].pool);
    if (chunk)
        chunk->format = (uint8_t)format;
    return chunk;
}

// Puts the chunk into its slot and gives back what is to be released: what stood there, or the chunk itself when the
// slot belongs to a later one already.
static struct chunk *lane_place(struct lane *lane, struct chunk *chunk)
{
    struct chunk **slot = &lane->slots[chunk->first_frame / CHUNK_FRAMES % lane->slot_count];
    struct chunk *old = *slot;
    if (old && old->first_frame > chunk->first_frame)
        return chunk;
    *slot = chunk;
    uint64_t end = chunk->first_frame + chunk->frame_count;
    if (end > atomic_load(&lane->frontier))
        atomic_store(&lane->frontier, end);
    return old;
}

// Chunks that have left a window of fewer than all slots.
static void lane_drop_old(struct lane *lane, uint64_t newest_frame)
{
    for (uint32_t i = 0; lane->kept < lane->slot_count && i < lane->slot_count; i++) {
        struct chunk *chunk = lane->slots[i];
        if (!chunk || chunk->first_frame + (uint64_t)lane->kept * CHUNK_FRAMES > newest_frame)
            continue;
        lane->slots[i] = NULL;
        chunk_release(chunk);
    }
}

void timeline_keep(struct timeline *timeline, enum format format, uint32_t kept)
{
    struct lane *lane = &timeline->lanes[format];
    pthread_mutex_lock(&lane->mutex);
    lane->kept = kept < lane->slot_count ? kept : lane->slot_count;
    pthread_mutex_unlock(&lane->mutex);
    chunk_pool_keep(&lane->pool, timeline_pool_chunks(kept));
}

// Returns whether there was anything.
static bool lane_drop_after(struct lane *lane, uint64_t frame)
{
    bool found = false;
    for (uint32_t i = 0; i < lane->slot_count; i++) {
        struct chunk *chunk = lane->slots[i];
        if (!chunk || chunk->first_frame <= frame)
            continue;
        found = true;
        lane->slots[i] = NULL;
        chunk_release(chunk);
    }
    return found;
}

// What comes after a frame knew less.
static void lane_splice(struct lane *lane, uint64_t frame)
{
    if (!lane_drop_after(lane, frame))
        return;
    atomic_store(&lane->frontier, frame + CHUNK_FRAMES);
    if (lane->untold_until == 0)
        lane->untold_until = frame + (uint64_t)TIMELINE_SPLICE_CHUNKS * CHUNK_FRAMES;
}

static bool lane_tells(struct lane *lane)
{
    bool tells = lane->untold_until > 0 && atomic_load(&lane->frontier) >= lane->untold_until;
    if (tells)
        lane->untold_until = 0;
    return tells;
}

void timeline_publish(struct timeline *timeline, struct chunk *chunk, uint32_t generation)
{
    check(chunk->first_frame % CHUNK_FRAMES == 0);
    struct lane *lane = &timeline->lanes[chunk->format];
    uint64_t frame = chunk->first_frame;
    pthread_mutex_lock(&lane->mutex);
    if (generation > atomic_load(&lane->generation))
        lane_splice(lane, frame);
    struct chunk *old = lane_place(lane, chunk);
    lane_drop_old(lane, frame);
    atomic_store(&lane->generation, generation);
    bool tells = lane_tells(lane);
    pthread_mutex_unlock(&lane->mutex);
    chunk_release(old);
    if (tells)
        hook_raise(&timeline->on_splice);
}

void timeline_clear(struct timeline *timeline, enum format format)
{
    lane_clear(&timeline->lanes[format]);
}

struct chunk *timeline_acquire(struct timeline *timeline, enum format format, uint64_t first_frame)
{
    struct lane *lane = &timeline->lanes[format];
    if (lane->slot_count == 0)
        return NULL;
    pthread_mutex_lock(&lane->mutex);
    struct chunk *chunk = lane->slots[first_frame / CHUNK_FRAMES % lane->slot_count];
    if (chunk && chunk->first_frame == first_frame)
        chunk_retain(chunk);
    else
        chunk = NULL;
    pthread_mutex_unlock(&lane->mutex);
    return chunk;
}

void chunk_retain(struct chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
}

struct chunk *chunk_create(size_t bytes)
{
    struct chunk *chunk = malloc(sizeof *chunk + bytes);
    if (chunk) {
        memset(chunk, 0, sizeof *chunk);
        atomic_init(&chunk->references, 1);
    }
    return chunk;
}

void chunk_release(struct chunk *chunk)
{
    if (!chunk || atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) > 1)
        return;
    if (chunk->pool)
        chunk_pool_give(chunk->pool, chunk);
    else
        free(chunk);
}

uint64_t timeline_frontier(const struct timeline *timeline, enum format format)
{
    return atomic_load(&timeline->lanes[format].frontier);
}

uint32_t timeline_generation(const struct timeline *timeline, enum format format)
{
    return atomic_load(&timeline->lanes[format].generation);
}

void timeline_set_state(struct timeline *timeline, enum timeline_state state)
{
    atomic_store(&timeline->state, (int)state);
}

enum timeline_state timeline_state(const struct timeline *timeline)
{
    return (enum timeline_state)atomic_load(&timeline->state);
}

void timeline_on_demand(struct timeline *timeline, void (*raise)(void *context), void *context)
{
    hook_set(&timeline->on_demand, raise, context);
}

void timeline_on_splice(struct timeline *timeline, void (*raise)(void *context), void *context)
{
    hook_set(&timeline->on_splice, raise, context);
}

void timeline_join(struct timeline *timeline, enum format format)
{
    if (atomic_fetch_add(&timeline->lanes[format].readers, 1) == 0)
        hook_raise(&timeline->on_demand);
}

void timeline_leave(struct timeline *timeline, enum format format)
{
    check(atomic_fetch_sub(&timeline->lanes[format].readers, 1) > 0);
}

int timeline_readers(const struct timeline *timeline, enum format format)
{
    return atomic_load(&timeline->lanes[format].readers);
}

void timeline_publish_event(struct timeline *timeline, const struct event_record *record)
{
    struct event_record numbered = *record;
    check(record->kind < EVENT_RECORD_KINDS);
    pthread_mutex_lock(&timeline->events_mutex);
    numbered.number = timeline->events.pushed + 1;
    record_ring_push(&timeline->events, &numbered);
    record_ring_push(&timeline->by_kind[record->kind], &numbered);
    atomic_store(&timeline->last_event, numbered.number);
    pthread_mutex_unlock(&timeline->events_mutex);
}

void timeline_drop_events(struct timeline *timeline, uint64_t from_frame)
{
    pthread_mutex_lock(&timeline->events_mutex);
    record_ring_drop(&timeline->events, from_frame);
    for (int i = 0; i < EVENT_RECORD_KINDS; i++) {
        record_ring_drop(&timeline->by_kind[i], from_frame);
        record_ring_trim(&timeline->by_kind[i]);
    }
    pthread_mutex_unlock(&timeline->events_mutex);
}

static bool copy_record(const struct event_record *from, struct event_record *to)
{
    if (from)
        *to = *from;
    return from != NULL;
}

// Record number n has index n - 1.
static const struct event_record *next_record(const struct record_ring *ring, uint64_t *after)
{
    uint64_t oldest = record_ring_oldest(ring);
    for (uint64_t i = *after > oldest ? *after : oldest; i < ring->pushed; i++) {
        const struct event_record *record = record_ring_get(ring, i);
        *after = i + 1;
        if (record->at_frame != RECORD_DROPPED)
            return record;
    }
    return NULL;
}

bool timeline_event_after(struct timeline *timeline, uint64_t *after, struct event_record *record)
{
    if (*after >= atomic_load(&timeline->last_event))
        return false;
    pthread_mutex_lock(&timeline->events_mutex);
    bool found = copy_record(next_record(&timeline->events, after), record);
    pthread_mutex_unlock(&timeline->events_mutex);
    return found;
}

bool timeline_event_at(struct timeline *timeline, enum event_record_kind kind, uint64_t frame,
                       struct event_record *record)
{
    pthread_mutex_lock(&timeline->events_mutex);
    bool found = copy_record(record_ring_at(&timeline->by_kind[kind], frame), record);
    pthread_mutex_unlock(&timeline->events_mutex);
    return found;
}

uint64_t timeline_last_event(const struct timeline *timeline)
{
    return atomic_load(&timeline->last_event);
}

static size_t ring_bytes(const struct record_ring *ring)
{
    return ring->cap * sizeof(struct event_record);
}

size_t timeline_bytes(const struct timeline *timeline)
{
    size_t bytes = sizeof *timeline + ring_bytes(&timeline->events);
    for (int i = 0; i < EVENT_RECORD_KINDS; i++)
        bytes += ring_bytes(&timeline->by_kind[i]);
    for (int i = 0; i < FORMAT_COUNT; i++)
        bytes += chunk_pool_bytes(&timeline->lanes[i].pool) + timeline->lanes[i].slot_count * sizeof(struct chunk *);
    return bytes;
}
