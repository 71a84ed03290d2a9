#include "stream/shelf.h"

#include "base/frames.h"

static void shelf_give_back(struct shelf *shelf, unsigned place)
{
    if (shelf->taken & (1u << place))
        chunk_release(shelf->places[place].chunk);
    shelf->taken &= ~(1u << place);
}

struct chunk *shelf_chunk(struct shelf *shelf, struct timeline *timeline, enum format format, uint64_t first_frame)
{
    unsigned place = (unsigned)(first_frame / CHUNK_FRAMES % SHELF_CHUNKS);
    struct chunk *chunk = shelf->taken & (1u << place) ? shelf->places[place].chunk : NULL;
    uint32_t generation = timeline_generation(timeline, format);
    if (chunk && chunk->first_frame == first_frame && chunk->format == format &&
        shelf->places[place].timeline == timeline && shelf->places[place].generation == generation)
        return chunk;
    chunk = timeline_acquire(timeline, format, first_frame);
    if (!chunk)
        return NULL;
    shelf_give_back(shelf, place);
    shelf->places[place].timeline = timeline;
    shelf->places[place].generation = generation;
    shelf->places[place].chunk = chunk;
    shelf->taken |= 1u << place;
    return chunk;
}

void shelf_clear(struct shelf *shelf)
{
    while (shelf->taken)
        shelf_give_back(shelf, (unsigned)__builtin_ctz(shelf->taken));
}
