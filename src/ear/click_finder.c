#include "ear/click_finder.h"

#include <stdlib.h>
#include <string.h>

#include "base/frames.h"

enum {
    SEGMENT_FRAMES = 30 * FRAME_RATE,
    MARGIN_FRAMES = FRAME_RATE / 2,   // at both ends of a segment the surroundings are not all known
    FOUND_MAX = 1024,                 // in one segment; more than that is no music
};

enum status click_finder_init(struct click_finder *finder)
{
    *finder = (struct click_finder){.sound = malloc(sizeof *finder->sound * SEGMENT_FRAMES * CHANNELS)};
    return finder->sound ? STATUS_OK : STATUS_MEMORY;
}

void click_finder_finish(struct click_finder *finder)
{
    free(finder->sound);
    free(finder->found);
    *finder = (struct click_finder){0};
}

static enum status click_finder_keep(struct click_finder *finder, const struct click *click)
{
    if (finder->count == finder->cap) {
        size_t cap = finder->cap ? finder->cap * 2 : 256;
        struct click *grown = realloc(finder->found, cap * sizeof *grown);
        if (!grown)
            return STATUS_MEMORY;
        finder->found = grown;
        finder->cap = cap;
    }
    finder->found[finder->count] = *click;
    finder->found[finder->count++].frame += finder->first_frame;
    return STATUS_OK;
}

// Looks at the segment and keeps what lies in [from, to) of it.
static enum status click_finder_look(struct click_finder *finder, size_t from, size_t to)
{
    struct click *found = malloc(FOUND_MAX * sizeof *found);
    long count = found ? clicks_find(finder->sound, finder->frames, NULL, 0, found, FOUND_MAX) : -1;
    enum status status = count < 0 ? STATUS_MEMORY : STATUS_OK;
    for (long i = 0; i < count && i < FOUND_MAX && status == STATUS_OK; i++)
        if (found[i].frame >= from && found[i].frame < to)
            status = click_finder_keep(finder, &found[i]);
    free(found);
    return status;
}

// The segment is full: what its end lacks in surroundings is looked at again with the next one.
static enum status click_finder_turn(struct click_finder *finder)
{
    const size_t kept = (size_t)2 * MARGIN_FRAMES, gone = SEGMENT_FRAMES - kept;
    enum status status = click_finder_look(finder, finder->looked, SEGMENT_FRAMES - MARGIN_FRAMES);
    memmove(finder->sound, finder->sound + gone * CHANNELS, kept * CHANNELS * sizeof *finder->sound);
    finder->first_frame += gone;
    finder->frames = kept;
    finder->looked = MARGIN_FRAMES;
    return status;
}

enum status click_finder_end(struct click_finder *finder)
{
    enum status status = click_finder_look(finder, finder->looked, finder->frames);
    finder->frames = finder->looked = 0;
    return status;
}

enum status click_finder_add(struct click_finder *finder, uint64_t first_frame, const float *sound, size_t frames)
{
    enum status status = STATUS_OK;
    if (finder->frames > 0 && first_frame != finder->first_frame + finder->frames)
        status = click_finder_end(finder);
    if (finder->frames == 0)
        finder->first_frame = first_frame;
    while (frames > 0 && status == STATUS_OK) {
        size_t room = SEGMENT_FRAMES - finder->frames, take = frames < room ? frames : room;
        memcpy(finder->sound + finder->frames * CHANNELS, sound, take * CHANNELS * sizeof *sound);
        finder->frames += take;
        sound += take * CHANNELS;
        frames -= take;
        if (finder->frames == SEGMENT_FRAMES)
            status = click_finder_turn(finder);
    }
    return status;
}
