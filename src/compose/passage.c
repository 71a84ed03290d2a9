#include "compose/passage.h"

#include "base/random.h"
#include "compose/purpose.h"

// The grid: 34 beats from chord to chord, give or take a quarter. At 120 bpm never under 8 s, at 40 bpm never over 78
// s.
#define GRID_BEATS (34 * MOOD_LOG_BEAT)
#define GRID_JITTER (GRID_BEATS / 1000 * 525)

enum {
    KEY_DELAY = 2 * FRAME_RATE,      // from a change of key to the end of the running chord, at least
    KEY_SHORTEST = 4 * FRAME_RATE,   // a chord that a change of key cuts short
};

bool passage_same_key(const struct mood *a, const struct mood *b)
{
    return a->mode == b->mode && key_tonic(a->key) == key_tonic(b->key) && a->tuning == b->tuning;
}

static uint64_t passage_grid_beats(uint64_t seed, uint64_t cell)
{
    uint64_t jitter = (uint64_t)((double)GRID_JITTER * random_unit(seed, PURPOSE_CHORD_TIME, cell));
    return cell * GRID_BEATS + (GRID_BEATS - GRID_JITTER) / 2 + jitter;
}

// The first point of the grid at or after `earliest`.
static uint64_t passage_grid_frame(const struct program *program, uint64_t earliest)
{
    uint64_t beats = mood_log_beats(program->log, earliest);
    uint64_t cell = beats / GRID_BEATS;
    while (passage_grid_beats(program->seed, cell) < beats)
        cell++;
    uint64_t frame = mood_log_frame_of_beats(program->log, passage_grid_beats(program->seed, cell));
    return frames_round_up(frame, CONTROL_FRAMES);
}

// Where a change of key after the onset and before `limit` ends the chord; `limit` when there is none.
static uint64_t passage_key_end(const struct program *program, const struct passage *passage, uint64_t limit)
{
    const struct mood_entry *first = mood_log_at(program->log, passage->onset), *entry = first;
    while ((entry = mood_log_next(program->log, entry)) && entry->at_frame < limit) {
        if (passage_same_key(&first->mood, &entry->mood))
            continue;
        uint64_t soonest = passage->onset + (passage->ordinal == 0 ? PASSAGE_SHORTEST : KEY_SHORTEST);
        uint64_t at = entry->at_frame + KEY_DELAY;
        at = at > soonest ? at : soonest;
        if (at + KEY_SHORTEST > passage->section.to)
            at = passage->section.to;
        return at < limit ? at : limit;
    }
    return limit;
}

static uint64_t passage_end(const struct program *program, const struct passage *passage)
{
    uint64_t end = passage_grid_frame(program, passage->onset + PASSAGE_SHORTEST);
    if (end + PASSAGE_SHORTEST > passage->section.to)
        end = passage->section.to;
    return passage_key_end(program, passage, end);
}

struct passage passage_first(const struct program *program, struct section section)
{
    struct passage passage = {.section = section, .onset = section.from};
    passage.until = passage_end(program, &passage);
    return passage;
}

void passage_advance(const struct program *program, struct passage *passage)
{
    passage->onset = passage->until;
    passage->ordinal++;
    passage->until = passage_end(program, passage);
}

struct passage passage_at(const struct program *program, uint64_t frame)
{
    struct passage passage = passage_first(program, section_at(program->seed, frame));
    while (passage.until <= frame)
        passage_advance(program, &passage);
    return passage;
}

uint64_t passage_planned_end(const struct program *program, const struct passage *passage)
{
    struct mood_log known = *program->log;
    known.count = (size_t)(mood_log_at(program->log, passage->onset) - known.entries) + 1;
    return passage_end(&(struct program){program->seed, &known}, passage);
}
