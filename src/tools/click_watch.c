#include "tools/click_watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "score/event.h"

enum {
    SEGMENT_FRAMES = 30 * FRAME_RATE,
    MARGIN_FRAMES = FRAME_RATE / 2,   // at both ends of a segment the surroundings are not all known
    FOUND_MAX = 1024,                 // in one segment; more than that is no music
    COMPOSE_GRID = 64,
};

enum status click_watch_init(struct click_watch *watch)
{
    *watch = (struct click_watch){.sound = malloc(sizeof *watch->sound * SEGMENT_FRAMES * CHANNELS)};
    return watch->sound ? STATUS_OK : STATUS_MEMORY;
}

void click_watch_finish(struct click_watch *watch)
{
    free(watch->sound);
    free(watch->suspects);
    *watch = (struct click_watch){0};
}

static enum status watch_suspect(struct click_watch *watch, const struct click *click)
{
    if (watch->count == watch->cap) {
        size_t cap = watch->cap ? watch->cap * 2 : 256;
        struct click *grown = realloc(watch->suspects, cap * sizeof *grown);
        if (!grown)
            return STATUS_MEMORY;
        watch->suspects = grown;
        watch->cap = cap;
    }
    watch->suspects[watch->count] = *click;
    watch->suspects[watch->count++].frame += watch->first_frame;
    return STATUS_OK;
}

// Looks at the segment and keeps what lies in [from, to) of it.
static enum status watch_look(struct click_watch *watch, size_t from, size_t to)
{
    struct click *found = malloc(FOUND_MAX * sizeof *found);
    long count = found ? clicks_find(watch->sound, watch->frames, NULL, 0, found, FOUND_MAX) : -1;
    enum status status = count < 0 ? STATUS_MEMORY : STATUS_OK;
    for (long i = 0; i < count && i < FOUND_MAX && status == STATUS_OK; i++)
        if (found[i].frame >= from && found[i].frame < to)
            status = watch_suspect(watch, &found[i]);
    free(found);
    return status;
}

// The segment is full: what its end lacks in surroundings is looked at again with the next one.
static enum status watch_turn(struct click_watch *watch)
{
    const size_t kept = (size_t)2 * MARGIN_FRAMES, gone = SEGMENT_FRAMES - kept;
    enum status status = watch_look(watch, watch->looked, SEGMENT_FRAMES - MARGIN_FRAMES);
    memmove(watch->sound, watch->sound + gone * CHANNELS, kept * CHANNELS * sizeof *watch->sound);
    watch->first_frame += gone;
    watch->frames = kept;
    watch->looked = MARGIN_FRAMES;
    return status;
}

// Nothing follows on the segment.
static enum status watch_end(struct click_watch *watch)
{
    enum status status = watch_look(watch, watch->looked, watch->frames);
    watch->frames = watch->looked = 0;
    return status;
}

enum status click_watch_add(struct click_watch *watch, uint64_t first_frame, const float *sound, size_t frames)
{
    enum status status = STATUS_OK;
    if (watch->frames > 0 && first_frame != watch->first_frame + watch->frames)
        status = watch_end(watch);
    if (watch->frames == 0)
        watch->first_frame = first_frame;
    watch->watched_frames += frames;
    while (frames > 0 && status == STATUS_OK) {
        size_t room = SEGMENT_FRAMES - watch->frames, take = frames < room ? frames : room;
        memcpy(watch->sound + watch->frames * CHANNELS, sound, take * CHANNELS * sizeof *sound);
        watch->frames += take;
        sound += take * CHANNELS;
        frames -= take;
        if (watch->frames == SEGMENT_FRAMES)
            status = watch_turn(watch);
    }
    return status;
}

static bool watch_explains(const struct program *program, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t from = frame < CLICKS_ONSET_AFTER_FRAMES ? 0 : frame - CLICKS_ONSET_AFTER_FRAMES;
    uint64_t to = frame + CLICKS_ONSET_BEFORE_FRAMES + 1;
    int count = compose_events(program, frames_round_down(from, COMPOSE_GRID), frames_round_up(to, COMPOSE_GRID),
                               events);
    for (int i = 0; i < count; i++)
        if (events[i].kind == EVENT_NOTE_ON && events[i].at_frame >= from && events[i].at_frame < to)
            return true;
    return false;
}

enum status click_watch_judge(struct click_watch *watch, const struct program *program, struct click_result *result)
{
    enum status status = watch_end(watch);
    *result = (struct click_result){.watched_frames = watch->watched_frames};
    for (size_t i = 0; i < watch->count; i++) {
        bool explained = watch_explains(program, watch->suspects[i].frame);
        if (!explained && result->clicks == 0)
            result->first = watch->suspects[i];
        result->explained += explained;
        result->clicks += !explained;
    }
    return status;
}
