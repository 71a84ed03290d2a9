#include "client/playout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"

enum { FIRST_CAP = 1 << 19, MOST_CAP = 1 << 28, FADE_FRAMES = 960 };

struct playout {
    void (*heard)(void *context, uint64_t first_frame, const float *sound, size_t frames);
    void *context;
    float *sound;            // a ring by frame
    uint64_t cap;            // frames, a power of two
    uint64_t next, end;      // frames [next, end) wait
    bool late;               // what is heard up to `next` has been replaced by now
};

struct playout *playout_create(void (*heard)(void *context, uint64_t first_frame, const float *sound, size_t frames),
                               void *context)
{
    struct playout *playout = calloc(1, sizeof *playout);
    if (!playout)
        return NULL;
    *playout = (struct playout){.heard = heard, .context = context, .cap = FIRST_CAP};
    playout->sound = malloc(FIRST_CAP * CHANNELS * sizeof(float));
    if (playout->sound)
        return playout;
    free(playout);
    return NULL;
}

static float *sound_at(const struct playout *playout, uint64_t frame)
{
    return playout->sound + (frame & (playout->cap - 1)) * CHANNELS;
}

// How many frames from there on stand in one piece.
static uint64_t piece(const struct playout *playout, uint64_t frame, uint64_t frames)
{
    uint64_t room = playout->cap - (frame & (playout->cap - 1));
    return frames < room ? frames : room;
}

static void give_out(struct playout *playout, uint64_t until)
{
    while (playout->next < until && playout->next < playout->end) {
        uint64_t last = until < playout->end ? until : playout->end;
        uint64_t frames = piece(playout, playout->next, last - playout->next);
        playout->heard(playout->context, playout->next, sound_at(playout, playout->next), frames);
        playout->next += frames;
    }
}

static bool make_room(struct playout *playout, uint64_t frames)
{
    uint64_t cap = playout->cap;
    while (cap < frames && cap < MOST_CAP)
        cap *= 2;
    if (cap < frames)
        return false;
    if (cap == playout->cap)
        return true;
    struct playout grown = *playout;
    grown.cap = cap;
    grown.sound = malloc(cap * CHANNELS * sizeof(float));
    if (!grown.sound)
        return false;
    for (uint64_t frame = playout->next; frame < playout->end; frame++)
        memcpy(sound_at(&grown, frame), sound_at(playout, frame), CHANNELS * sizeof(float));
    free(playout->sound);
    *playout = grown;
    return true;
}

static void put(struct playout *playout, uint64_t frame, const float *sound, uint64_t frames)
{
    for (uint64_t done = 0; done < frames;) {
        uint64_t count = piece(playout, frame + done, frames - done);
        memcpy(sound_at(playout, frame + done), sound + done * CHANNELS, count * CHANNELS * sizeof(float));
        done += count;
    }
}

// From what was to be heard to what is, from `next` on, which lies within the sound. Returns the frames that it took.
static uint64_t fade(struct playout *playout, const float *sound, uint64_t frames)
{
    uint64_t waiting = playout->end - playout->next, count = frames < FADE_FRAMES ? frames : FADE_FRAMES;
    count = waiting < count ? waiting : count;
    for (uint64_t i = 0; i < count; i++) {
        float *old = sound_at(playout, playout->next + i), share = ((float)i + 0.5f) / (float)count;
        for (int c = 0; c < CHANNELS; c++)
            old[c] += share * (sound[i * CHANNELS + (uint64_t)c] - old[c]);
    }
    playout->late = false;
    return count;
}

enum status playout_add(struct playout *playout, const struct client_chunk *chunk)
{
    uint64_t frame = chunk->first_frame, frames = (uint64_t)chunk->sound_frames, done = 0;
    give_out(playout, client_live_frame(chunk));
    if (frame > playout->end) {
        give_out(playout, playout->end);
        playout->next = playout->end = frame;
        playout->late = false;
    }
    if (frame < playout->next) {
        playout->late = true;
        done = playout->next - frame < frames ? playout->next - frame : frames;
    }
    if (frame + frames <= playout->next)
        return STATUS_OK;
    if (!make_room(playout, frame + frames - playout->next))
        return STATUS_MEMORY;
    if (playout->late && frame + done == playout->next)
        done += fade(playout, chunk->sound + done * CHANNELS, frames - done);
    put(playout, frame + done, chunk->sound + done * CHANNELS, frames - done);
    playout->end = frame + frames > playout->end ? frame + frames : playout->end;
    return STATUS_OK;
}

void playout_destroy(struct playout *playout)
{
    if (!playout)
        return;
    give_out(playout, playout->end);
    free(playout->sound);
    free(playout);
}
