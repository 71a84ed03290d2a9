#include "score/mood_log.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "base/random.h"

static uint64_t mood_entry_beats(const struct mood_entry *entry, uint64_t frame)
{
    return entry->beats + (frame - entry->at_frame) * (uint64_t)entry->mood.bpm;
}

static const enum mood_id mood_glides[MOOD_GLIDES] = {
    MOOD_ID_intensity, MOOD_ID_melody_complexity, MOOD_ID_chord_progression_variety, MOOD_ID_brightness,
    MOOD_ID_space, MOOD_ID_warmth, MOOD_ID_texture,
};

static double *mood_glide(struct mood *mood, int glide)
{
    return (double *)((char *)mood + mood_parameters[mood_glides[glide]].offset);
}

static double mood_share(uint64_t from, uint64_t until, uint64_t frame)
{
    return frame >= until ? 1.0 : (double)(frame - from) / (double)(until - from);
}

static struct mood mood_entry_mood(const struct mood_entry *entry, uint64_t frame)
{
    struct mood mood = entry->mood;
    if (frame >= entry->morph_until)
        return mood;
    double share = mood_share(entry->at_frame, entry->morph_until, frame);
    for (int glide = 0; glide < MOOD_GLIDES; glide++) {
        double from = entry->from[glide], *now = mood_glide(&mood, glide);
        *now = from + (*now - from) * share;
    }
    return mood;
}

static struct scene_shares mood_entry_shares(const struct mood_entry *entry, uint64_t frame)
{
    struct scene_shares shares = entry->shares;
    double gone = mood_share(entry->morph_from, entry->morph_until, frame);
    for (int scene = 0; scene < scene_count; scene++) {
        double from = (double)shares.of[scene], to = scene == entry->mood.scene;
        shares.of[scene] = (float)(from + (to - from) * gone);
    }
    return shares;
}

// Sets out for another scene, or goes on with what is under way.
static void mood_entry_morph(struct mood_entry *entry, const struct mood_entry *last)
{
    bool sets_out = entry->changed >> MOOD_ID_scene & 1;
    struct mood from = mood_entry_mood(last, entry->at_frame);
    entry->shares = sets_out ? mood_entry_shares(last, entry->at_frame) : last->shares;
    entry->morph_from = sets_out ? entry->at_frame : last->morph_from;
    entry->morph_until = last->morph_until;
    if (sets_out)
        entry->morph_until = entry->at_frame + (uint64_t)entry->mood.morph_seconds * FRAME_RATE;
    else
        from = mood_apply(&from, &(struct mood_patch){entry->changed, entry->mood});
    for (int glide = 0; glide < MOOD_GLIDES; glide++)
        entry->from[glide] = *mood_glide(&from, glide);
}

// At noon, with nobody's own scale.
static struct mood_log_head mood_log_head_default(void)
{
    return (struct mood_log_head){.begin_minute = DAY_NOON, .scala = tunings[TUNING_SCALA]};
}

const struct tuning *mood_log_tuning(const struct mood_log *log, const struct mood *mood)
{
    return mood->tuning == TUNING_SCALA ? &log->head.scala : &tunings[mood->tuning];
}

static uint64_t mood_entry_hash(const struct mood_entry *entry, uint64_t before)
{
    return mood_hash(&entry->mood, random_u64(before, entry->at_frame, entry->wake_frame));
}

// So many that the C library maps them apart from all else (os/memory.h): what is not written yet takes no memory, and
// to grow leaves no hole behind.
enum { FIRST_CAP = 1024 };

enum status mood_log_init(struct mood_log *log, const struct mood *mood)
{
    *log = (struct mood_log){.entries = malloc(FIRST_CAP * sizeof *log->entries), .cap = FIRST_CAP,
                             .head = mood_log_head_default()};
    if (!log->entries)
        return STATUS_MEMORY;
    struct mood_entry *first = &log->entries[log->count++];
    *first = (struct mood_entry){.mood = *mood};
    first->hash = mood_entry_hash(first, 0);
    return STATUS_OK;
}

void mood_log_finish(struct mood_log *log)
{
    free(log->entries);
    *log = (struct mood_log){0};
}

enum status mood_log_reserve(struct mood_log *log)
{
    if (log->count < log->cap)
        return STATUS_OK;
    struct mood_entry *entries = realloc(log->entries, 2 * log->cap * sizeof *entries);
    if (!entries)
        return STATUS_MEMORY;
    log->entries = entries;
    log->cap *= 2;
    return STATUS_OK;
}

enum status mood_log_adopt(struct mood_log *log, const struct mood_entry *entry)
{
    const struct mood_entry *last = mood_log_latest(log);
    if (entry->sequence <= last->sequence || entry->at_frame < last->at_frame ||
        entry->at_frame % PACKET_FRAMES != 0 || entry->wake_frame < last->wake_frame ||
        entry->wake_frame % CHUNK_FRAMES != 0)
        return STATUS_INVALID;
    enum status status = mood_log_reserve(log);
    if (status == STATUS_OK)
        log->entries[log->count++] = *entry;
    return status;
}

enum status mood_log_copy(struct mood_log *log, const struct mood_entry *from)
{
    const struct mood_entry *last = mood_log_latest(log);
    struct mood_entry entry = {
        .sequence = from->sequence,
        .at_frame = from->at_frame,
        .beats = mood_entry_beats(last, from->at_frame),
        .changed = mood_difference(&last->mood, &from->mood),
        .mood = from->mood,
        .wake_frame = from->wake_frame,
    };
    entry.hash = mood_entry_hash(&entry, last->hash);
    mood_entry_morph(&entry, last);
    return mood_log_adopt(log, &entry);
}

enum status mood_log_append(struct mood_log *log, uint64_t sequence, uint64_t at_frame, const struct mood *mood)
{
    uint64_t wake_frame = mood_log_latest(log)->wake_frame;
    return mood_log_copy(log, &(struct mood_entry){.sequence = sequence, .at_frame = at_frame, .mood = *mood,
                                                   .wake_frame = wake_frame});
}

// The last entry with `most` or less of a field, a uint64_t that never falls from one entry to the next.
static const struct mood_entry *mood_log_last(const struct mood_log *log, size_t field, uint64_t most)
{
    size_t low = 0, high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const char *entry = (const char *)&log->entries[middle];
        if (*(const uint64_t *)(const void *)(entry + field) <= most)
            low = middle;
        else
            high = middle;
    }
    return &log->entries[low];
}

const struct mood_entry *mood_log_latest(const struct mood_log *log)
{
    return &log->entries[log->count - 1];
}

const struct mood_entry *mood_log_at(const struct mood_log *log, uint64_t frame)
{
    return mood_log_last(log, offsetof(struct mood_entry, at_frame), frame);
}

const struct mood_entry *mood_log_after(const struct mood_log *log, uint64_t sequence)
{
    const struct mood_entry *entry = mood_log_last(log, offsetof(struct mood_entry, sequence), sequence);
    entry += entry->sequence <= sequence;
    return entry < log->entries + log->count ? entry : NULL;
}

// What was there for many that are gone.
static void mood_log_shrink(struct mood_log *log)
{
    size_t cap = log->cap;
    while (cap > FIRST_CAP && cap >= 4 * log->count)
        cap /= 2;
    struct mood_entry *entries = cap < log->cap ? realloc(log->entries, cap * sizeof *entries) : NULL;
    if (!entries)
        return;
    log->entries = entries;
    log->cap = cap;
}

void mood_log_forget(struct mood_log *log, uint64_t before_frame)
{
    size_t gone = (size_t)(mood_log_at(log, before_frame) - log->entries), left = log->count - gone;
    if (gone < left)
        return;
    memmove(log->entries, log->entries + gone, left * sizeof *log->entries);
    log->count = left;
    mood_log_shrink(log);
}

const struct mood_entry *mood_log_next(const struct mood_log *log, const struct mood_entry *entry)
{
    const struct mood_entry *end = log->entries + log->count;
    for (entry++; entry + 1 < end && entry[1].at_frame == entry->at_frame;)
        entry++;
    return entry < end ? entry : NULL;
}

struct mood mood_log_mood(const struct mood_log *log, uint64_t frame)
{
    return mood_entry_mood(mood_log_at(log, frame), frame);
}

struct scene_shares mood_log_shares(const struct mood_log *log, uint64_t frame)
{
    return mood_entry_shares(mood_log_at(log, frame), frame);
}

uint64_t mood_log_woken(const struct mood_log *log, uint64_t frame)
{
    return mood_log_last(log, offsetof(struct mood_entry, wake_frame), frame)->wake_frame;
}

uint64_t mood_log_beats(const struct mood_log *log, uint64_t frame)
{
    return mood_entry_beats(mood_log_at(log, frame), frame);
}

uint64_t mood_log_frame_of_beats(const struct mood_log *log, uint64_t beats)
{
    const struct mood_entry *entry = mood_log_last(log, offsetof(struct mood_entry, beats), beats);
    uint64_t bpm = (uint64_t)entry->mood.bpm;
    return entry->at_frame + (beats - entry->beats + bpm - 1) / bpm;
}
