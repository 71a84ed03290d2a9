#include "score/mood_log.h"

#include <stdlib.h>

#include "base/frames.h"

static uint64_t mood_entry_beats(const struct mood_entry *entry, uint64_t frame)
{
    return entry->beats + (frame - entry->at_frame) * (uint64_t)entry->mood.bpm;
}

enum status mood_log_init(struct mood_log *log, const struct mood *mood)
{
    enum { FIRST_CAP = 16 };
    *log = (struct mood_log){.entries = malloc(FIRST_CAP * sizeof *log->entries), .cap = FIRST_CAP};
    if (!log->entries)
        return STATUS_MEMORY;
    log->entries[log->count++] = (struct mood_entry){.mood = *mood};
    return STATUS_OK;
}

void mood_log_finish(struct mood_log *log)
{
    free(log->entries);
    *log = (struct mood_log){0};
}

static enum status mood_log_reserve(struct mood_log *log)
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

enum status mood_log_append(struct mood_log *log, uint64_t sequence, uint64_t at_frame, const struct mood *mood)
{
    const struct mood_entry *last = &log->entries[log->count - 1];
    if (sequence <= last->sequence || at_frame < last->at_frame || at_frame % PACKET_FRAMES != 0)
        return STATUS_INVALID;
    struct mood_entry entry = {
        .sequence = sequence,
        .at_frame = at_frame,
        .beats = mood_entry_beats(last, at_frame),
        .changed = mood_difference(&last->mood, mood),
        .mood = *mood,
    };
    enum status status = mood_log_reserve(log);
    if (status == STATUS_OK)
        log->entries[log->count++] = entry;
    return status;
}

const struct mood_entry *mood_log_at(const struct mood_log *log, uint64_t frame)
{
    size_t low = 0, high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->entries[middle].at_frame <= frame)
            low = middle;
        else
            high = middle;
    }
    return &log->entries[low];
}

uint64_t mood_log_beats(const struct mood_log *log, uint64_t frame)
{
    return mood_entry_beats(mood_log_at(log, frame), frame);
}

uint64_t mood_log_frame_of_beats(const struct mood_log *log, uint64_t beats)
{
    size_t low = 0, high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->entries[middle].beats <= beats)
            low = middle;
        else
            high = middle;
    }
    const struct mood_entry *entry = &log->entries[low];
    uint64_t bpm = (uint64_t)entry->mood.bpm;
    return entry->at_frame + (beats - entry->beats + bpm - 1) / bpm;
}
