#include "tools/midi_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { TRACK_HEAD_BYTES = 8, META = 0xff };

// Bytes that grow. Once memory was short it takes nothing more.
struct pool {
    uint8_t *bytes;
    size_t len, cap;
    bool short_of_memory;
};

struct midi_event {
    uint64_t tick;
    size_t at, len;          // of its bytes in the track's pool
    int rank;                // at one tick
};

struct midi_track {
    struct pool pool;        // the events' bytes
    struct pool events;      // struct midi_event
};

struct midi_file {
    int tracks, quarter_ticks;
    struct midi_track track[];
};

static void pool_reserve(struct pool *pool, size_t len)
{
    if (len <= pool->cap - pool->len || pool->short_of_memory)
        return;
    size_t cap = 2 * pool->cap + len + 256;
    uint8_t *bytes = realloc(pool->bytes, cap);
    if (!bytes) {
        pool->short_of_memory = true;
        return;
    }
    pool->bytes = bytes;
    pool->cap = cap;
}

static void pool_add(struct pool *pool, const void *bytes, size_t len)
{
    pool_reserve(pool, len);
    if (pool->short_of_memory || len == 0)
        return;
    memcpy(pool->bytes + pool->len, bytes, len);
    pool->len += len;
}

// The lowest `count` bytes of a number, highest first.
static void pool_add_number(struct pool *pool, uint32_t value, int count)
{
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
        pool_add(pool, &(uint8_t){(uint8_t)(value >> shift)}, 1);
}

int midi_quantity(uint8_t *out, uint32_t value)
{
    check(value <= MIDI_QUANTITY_MAX);
    int count = 1;
    while (value >> 7 * count)
        count++;
    for (int i = 0; i < count; i++)
        out[i] = (uint8_t)((value >> 7 * (count - 1 - i) & 0x7f) | (i < count - 1 ? 0x80 : 0));
    return count;
}

static void pool_add_quantity(struct pool *pool, uint32_t value)
{
    uint8_t bytes[MIDI_QUANTITY_BYTES];
    int len = midi_quantity(bytes, value);
    pool_add(pool, bytes, (size_t)len);
}

struct midi_file *midi_file_create(int tracks, int quarter_ticks)
{
    check(tracks >= 1 && tracks <= UINT16_MAX && quarter_ticks >= 1 && quarter_ticks <= INT16_MAX);
    struct midi_file *file = calloc(1, sizeof *file + (size_t)tracks * sizeof *file->track);
    if (!file)
        return NULL;
    file->tracks = tracks;
    file->quarter_ticks = quarter_ticks;
    return file;
}

void midi_file_destroy(struct midi_file *file)
{
    if (!file)
        return;
    for (int i = 0; i < file->tracks; i++) {
        free(file->track[i].pool.bytes);
        free(file->track[i].events.bytes);
    }
    free(file);
}

static struct midi_track *midi_file_track(struct midi_file *file, int track)
{
    check(track >= 0 && track < file->tracks);
    return &file->track[track];
}

// Closes the event whose bytes begin at `at`.
static void midi_track_close(struct midi_track *track, uint64_t tick, size_t at, int rank)
{
    struct midi_event event = {.tick = tick, .at = at, .len = track->pool.len - at, .rank = rank};
    pool_add(&track->events, &event, sizeof event);
}

void midi_file_message(struct midi_file *file, int track, uint64_t tick, enum midi_status status, int channel,
                       int first, int second)
{
    check(channel >= 0 && channel < 16 && first >= 0 && first < 128 && second >= 0 && second < 128);
    struct midi_track *into = midi_file_track(file, track);
    size_t at = into->pool.len;
    uint8_t bytes[] = {(uint8_t)((int)status | channel), (uint8_t)first, (uint8_t)second};
    pool_add(&into->pool, bytes, status == MIDI_PROGRAM ? 2 : 3);
    midi_track_close(into, tick, at, status == MIDI_NOTE_OFF ? -1 : status == MIDI_NOTE_ON ? 1 : 0);
}

static void pool_add_meta(struct pool *pool, enum midi_meta type, const void *bytes, size_t len)
{
    pool_add(pool, (uint8_t[]){META, (uint8_t)type}, 2);
    pool_add_quantity(pool, (uint32_t)len);
    pool_add(pool, bytes, len);
}

void midi_file_meta(struct midi_file *file, int track, uint64_t tick, enum midi_meta type, const void *bytes,
                    size_t len)
{
    struct midi_track *into = midi_file_track(file, track);
    size_t at = into->pool.len;
    pool_add_meta(&into->pool, type, bytes, len);
    midi_track_close(into, tick, at, 0);
}

void midi_file_text(struct midi_file *file, int track, uint64_t tick, enum midi_meta type, const char *text)
{
    midi_file_meta(file, track, tick, type, text, strlen(text));
}

void midi_file_tempo(struct midi_file *file, int track, uint64_t tick, double quarters_per_minute)
{
    long us = lround(60e6 / quarters_per_minute);
    check(us >= 1 && us <= 0xffffff);
    uint8_t bytes[] = {(uint8_t)(us >> 16), (uint8_t)(us >> 8), (uint8_t)us};
    midi_file_meta(file, track, tick, MIDI_TEMPO, bytes, sizeof bytes);
}

void midi_file_key(struct midi_file *file, int track, uint64_t tick, int sharps, bool minor)
{
    check(sharps >= -7 && sharps <= 7);
    midi_file_meta(file, track, tick, MIDI_KEY_SIGNATURE, (uint8_t[]){(uint8_t)sharps, minor}, 2);
}

static int midi_event_by_tick(const void *a, const void *b)
{
    const struct midi_event *left = a, *right = b;
    if (left->tick != right->tick)
        return left->tick < right->tick ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return (left->at > right->at) - (left->at < right->at);
}

// The time since the event before. What is too long for one quantity is cut by texts that say nothing.
static void midi_add_wait(struct pool *out, uint64_t ticks)
{
    for (; ticks > MIDI_QUANTITY_MAX; ticks -= MIDI_QUANTITY_MAX) {
        pool_add_quantity(out, MIDI_QUANTITY_MAX);
        pool_add_meta(out, MIDI_TEXT, "", 0);
    }
    pool_add_quantity(out, (uint32_t)ticks);
}

static void midi_add_events(struct pool *out, struct midi_track *track, uint64_t end_tick)
{
    struct midi_event *events = (struct midi_event *)(void *)track->events.bytes;
    size_t count = track->events.len / sizeof *events;
    uint64_t now = 0;
    if (count > 0)
        qsort(events, count, sizeof *events, midi_event_by_tick);
    for (size_t i = 0; i < count; i++) {
        midi_add_wait(out, events[i].tick - now);
        pool_add(out, track->pool.bytes + events[i].at, events[i].len);
        now = events[i].tick;
    }
    midi_add_wait(out, end_tick > now ? end_tick - now : 0);
    pool_add_meta(out, MIDI_END_OF_TRACK, NULL, 0);
}

static enum status midi_add_track(struct pool *out, struct midi_track *track, uint64_t end_tick)
{
    if (track->pool.short_of_memory || track->events.short_of_memory)
        return STATUS_MEMORY;
    pool_add(out, "MTrk\0\0\0\0", TRACK_HEAD_BYTES);
    size_t begin = out->len;
    midi_add_events(out, track, end_tick);
    if (out->short_of_memory)
        return STATUS_MEMORY;
    size_t len = out->len - begin;
    if (len > UINT32_MAX)
        return STATUS_FULL;
    for (int i = 0; i < 4; i++)
        out->bytes[begin - 4 + (size_t)i] = (uint8_t)(len >> (24 - 8 * i));
    return STATUS_OK;
}

enum status midi_file_bytes(struct midi_file *file, uint64_t end_tick, uint8_t **bytes, size_t *len)
{
    struct pool out = {0};
    pool_add(&out, "MThd", 4);
    pool_add_number(&out, 6, 4);
    pool_add_number(&out, 1, 2);
    pool_add_number(&out, (uint32_t)file->tracks, 2);
    pool_add_number(&out, (uint32_t)file->quarter_ticks, 2);
    enum status status = STATUS_OK;
    for (int i = 0; i < file->tracks && status == STATUS_OK; i++)
        status = midi_add_track(&out, &file->track[i], end_tick);
    if (status != STATUS_OK) {
        free(out.bytes);
        return status;
    }
    *bytes = out.bytes;
    *len = out.len;
    return STATUS_OK;
}
