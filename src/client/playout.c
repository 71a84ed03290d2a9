#include "client/playout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "wire/message.h"

enum { FIRST_CAP = 1 << 19, MOST_CAP = 1 << 28, FADE_FRAMES = 960 };

struct playout {
    void (*heard)(void *context, uint64_t first_frame, const float *sound, size_t frames);
    void *context;
    float *sound;            // a ring by frame
    uint64_t cap;            // frames, a power of two
    uint64_t next, end;      // frames [next, end) wait
    bool fades_in;           // what comes next does not follow what waits before it
    // What waits from `seam` on is older than what waits before it, which leads over to it in case that is all that
    // comes; 0: nowhere.   tail: what waits before the seam, as it came.
    uint64_t seam;
    float tail[FADE_FRAMES * CHANNELS];
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

// How much of one sound is left after so many frames of a fade from it to another.
static float share_left(uint64_t frame, uint64_t frames)
{
    return 1 - ((float)frame + 0.5f) / (float)frames;
}

static void mix(float *sound, const float *other, float share)
{
    for (int c = 0; c < CHANNELS; c++)
        sound[c] += share * (other[c] - sound[c]);
}

// From what waits, from `frame` on, to what comes in its place. Returns the frames that it took.
static uint64_t fade_in(struct playout *playout, uint64_t frame, const float *sound, uint64_t frames)
{
    uint64_t waiting = playout->end - frame, count = frames < FADE_FRAMES ? frames : FADE_FRAMES;
    count = waiting < count ? waiting : count;
    for (uint64_t i = 0; i < count; i++)
        mix(sound_at(playout, frame + i), sound + i * CHANNELS, 1 - share_left(i, count));
    playout->fades_in = false;
    return count;
}

// Puts sound before older sound that waits from its end on.
static void put_before_older(struct playout *playout, uint64_t frame, const float *sound, uint64_t frames)
{
    uint64_t whole = frames - FADE_FRAMES;
    put(playout, frame, sound, whole);
    memcpy(playout->tail, sound + whole * CHANNELS, sizeof playout->tail);
    for (uint64_t i = 0; i < FADE_FRAMES; i++)
        mix(sound_at(playout, frame + whole + i), playout->tail + i * CHANNELS, share_left(i, FADE_FRAMES));
    playout->seam = frame + frames;
}

// What follows the seam has come after all: in time, or when it is being led over.
static void close_seam(struct playout *playout)
{
    if (playout->next + FADE_FRAMES <= playout->seam)
        put(playout, playout->seam - FADE_FRAMES, playout->tail, FADE_FRAMES);
    else
        playout->fades_in = true;
    playout->seam = 0;
}

// All of it lies within or right behind what waits.
static void take(struct playout *playout, uint64_t frame, const float *sound, uint64_t frames)
{
    bool replaces = frame + frames < playout->end;
    if (replaces && frames < 2 * FADE_FRAMES) {
        playout->fades_in = true;   // nothing but fades
        return;
    }
    uint64_t done = playout->fades_in ? fade_in(playout, frame, sound, frames) : 0;
    if (replaces)
        put_before_older(playout, frame + done, sound + done * CHANNELS, frames - done);
    else
        put(playout, frame + done, sound + done * CHANNELS, frames - done);
    playout->end = frame + frames > playout->end ? frame + frames : playout->end;
}

enum status playout_add(struct playout *playout, const struct client_chunk *chunk)
{
    uint64_t frame = chunk->first_frame, frames = (uint64_t)chunk->sound_frames;
    give_out(playout, client_live_frame(chunk));
    if (frame > playout->end) {
        give_out(playout, playout->end);
        playout->next = playout->end = frame;
        playout->fades_in = false;
        playout->seam = 0;
    }
    uint64_t late = frame < playout->next ? playout->next - frame : 0;
    playout->fades_in |= late > 0 || (chunk->flags & MESSAGE_DISCONTINUITY);
    if (frame == playout->seam && playout->seam != 0)
        close_seam(playout);
    if (late >= frames)
        return STATUS_OK;
    if (!make_room(playout, frame + frames - playout->next))
        return STATUS_MEMORY;
    take(playout, frame + late, chunk->sound + late * CHANNELS, frames - late);
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
