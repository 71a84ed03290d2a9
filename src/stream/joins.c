#include "stream/joins.h"

#include <math.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/frames.h"

enum { SAMPLES = FORMAT_LEGACY_FRAMES * CHANNELS, SAMPLES_BYTES = SAMPLES * 2 };

enum status joins_init(struct joins *joins)
{
    *joins = (struct joins){0};
    return chunk_pool_init(&joins->pool, JOINS_CHUNKS, FORMAT_LEGACY_BASE64_BYTES);
}

void joins_finish(struct joins *joins)
{
    for (int i = 0; i < JOINS_KEPT; i++)
        chunk_release(joins->kept[i].chunk);
    chunk_pool_finish(&joins->pool);
}

static void samples_read(const struct chunk *chunk, uint8_t *samples)
{
    const char *text = (const char *)chunk->bytes + chunk->payload_offset;
    check(base64_decode(text, chunk->len - chunk->payload_offset, samples) == SAMPLES_BYTES);
}

static int sample_at(const uint8_t *samples, int i)
{
    return (int16_t)(samples[2 * i] | samples[2 * i + 1] << 8);
}

// What is in `to` becomes the fade.
static void samples_fade(const uint8_t *from, uint8_t *to)
{
    for (int i = 0; i < SAMPLES; i++) {
        float share = ((float)(i / CHANNELS) + 0.5f) * (1.0f / FORMAT_LEGACY_FRAMES);
        int a = sample_at(from, i), b = sample_at(to, i);
        long value = lrintf((float)a + share * (float)(b - a));
        to[2 * i] = (uint8_t)value;
        to[2 * i + 1] = (uint8_t)(value >> 8);
    }
}

static void joins_make(const struct chunk *from, const struct chunk *to, struct chunk *chunk)
{
    uint8_t before[SAMPLES_BYTES], samples[SAMPLES_BYTES];
    samples_read(from, before);
    samples_read(to, samples);
    samples_fade(before, samples);
    chunk->first_frame = to->first_frame;
    chunk->frame_count = to->frame_count;
    chunk->generation = to->generation;
    chunk->format = to->format;
    chunk->flags = to->flags;
    chunk->len = FORMAT_LEGACY_BASE64_BYTES;
    base64_encode(samples, SAMPLES_BYTES, chunk->bytes);
}

static struct chunk *joins_find(const struct joins *joins, const struct chunk *from, const struct chunk *to)
{
    for (int i = 0; i < JOINS_KEPT; i++) {
        struct chunk *chunk = joins->kept[i].chunk;
        if (chunk && joins->kept[i].of == to->pool && chunk->first_frame == to->first_frame &&
            chunk->generation == to->generation && joins->kept[i].from_generation == from->generation)
            return chunk;
    }
    return NULL;
}

// In the place of the oldest one.
static struct chunk *joins_add(struct joins *joins, const struct chunk *from, const struct chunk *to)
{
    unsigned place = joins->oldest;
    joins->oldest = (place + 1) % JOINS_KEPT;
    chunk_release(joins->kept[place].chunk);
    struct chunk *chunk = joins->kept[place].chunk = chunk_pool_take(&joins->pool);
    joins->kept[place].of = to->pool;
    joins->kept[place].from_generation = from->generation;
    if (chunk)
        joins_make(from, to, chunk);
    return chunk;
}

struct chunk *joins_chunk(struct joins *joins, const struct chunk *from, const struct chunk *to)
{
    struct chunk *chunk = joins_find(joins, from, to);
    if (!chunk)
        chunk = joins_add(joins, from, to);
    if (chunk)
        chunk_retain(chunk);
    return chunk;
}
