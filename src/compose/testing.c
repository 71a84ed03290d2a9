#include "compose/testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "score/scene.h"

struct mood testing_mood(const char *key, enum mode mode)
{
    struct mood mood = mood_default();
    struct mood_patch patch = {.set = 1u << MOOD_ID_key | 1u << MOOD_ID_mode, .values = {.mode = mode}};
    check(key_from_text(key, &patch.values.key));
    return mood_apply(&mood, &patch);
}

struct mood_log testing_log(const struct mood *mood)
{
    struct mood_log log;
    check(mood_log_init(&log, mood) == STATUS_OK);
    return log;
}

void testing_append(struct mood_log *log, uint64_t at_frame, const struct mood *mood)
{
    uint64_t sequence = log->entries[log->count - 1].sequence + 1;
    check(mood_log_append(log, sequence, frames_round_up(at_frame, PACKET_FRAMES), mood) == STATUS_OK);
}

void testing_move(struct mood *mood, enum mood_id id, uint64_t chance)
{
    struct mood_patch patch = {.set = 1u << id, .values = *mood};
    double unit = (double)(chance >> 11) * 0x1p-53;
    if (id == MOOD_ID_key)
        patch.values.key = (struct key){(uint8_t)(chance % 7), (int8_t)((int)(chance / 7 % 3) - 1), mood->key.quality};
    else if (id == MOOD_ID_mode)
        patch.values.mode = (enum mode)(chance % MODE_COUNT);
    else if (id == MOOD_ID_bpm)
        patch.values.bpm = 40 + (int)(chance % 81);
    else if (id == MOOD_ID_morph_seconds)
        patch.values.morph_seconds = (int)(chance % 120);
    else if (id == MOOD_ID_scene)
        patch = scene_patch(&scenes[chance % (uint64_t)scene_count]);
    else if (id == MOOD_ID_tuning)
        patch.values.tuning = (int)(chance % (uint64_t)tuning_count);
    else if (mood_parameters[id].kind == MOOD_KIND_UNIT)
        memcpy((char *)&patch.values + mood_parameters[id].offset, &unit, sizeof unit);
    else
        *((bool *)(void *)&patch.values + mood_parameters[id].offset) ^= true;
    *mood = mood_apply(mood, &patch);
}

struct mood_log testing_restless_log(uint64_t seed, uint64_t every, uint64_t until)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    uint64_t frame = 0;
    for (uint64_t i = 0; frame < until; i += 3) {
        frame += random_u64(seed, 900, i) % (2 * every);
        testing_move(&mood, (enum mood_id)random_below(seed, 900, i + 1, MOOD_PARAMETERS),
                     random_u64(seed, 900, i + 2));
        testing_append(&log, frame, &mood);
    }
    return log;
}

static void score_add(struct score *score, const struct event *events, int count)
{
    if (count == 0)
        return;
    if (score->count + (size_t)count > score->cap) {
        score->cap = 2 * score->cap + COMPOSE_MAX_EVENTS;
        score->events = realloc(score->events, score->cap * sizeof *events);
        check(score->events);
    }
    memcpy(score->events + score->count, events, (size_t)count * sizeof *events);
    score->count += (size_t)count;
}

struct score testing_score(const struct program *program, uint64_t from, uint64_t to)
{
    struct score score = {0};
    struct event events[COMPOSE_MAX_EVENTS];
    for (uint64_t frame = from; frame < to; frame += CHUNK_FRAMES) {
        uint64_t end = frame + CHUNK_FRAMES < to ? frame + CHUNK_FRAMES : to;
        score_add(&score, events, compose_events(program, frame, end, events));
    }
    return score;
}

void score_free(struct score *score)
{
    free(score->events);
    *score = (struct score){0};
}

static bool testing_same_note(const struct note *a, const struct note *b)
{
    return a->id == b->id && a->layer == b->layer && a->instrument == b->instrument && a->lane == b->lane &&
           a->pitch == b->pitch && a->velocity == b->velocity && a->pan == b->pan && a->brightness == b->brightness &&
           a->attack_s == b->attack_s && a->release_s == b->release_s && a->hold_frames == b->hold_frames;
}

static bool testing_same_mix(const struct mix *a, const struct mix *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool testing_same_chord(struct chord a, struct chord b)
{
    return a.root == b.root && a.degree == b.degree && a.quality == b.quality && a.tones == b.tones;
}

bool testing_same(const struct event *a, const struct event *b)
{
    if (a->at_frame != b->at_frame || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case EVENT_MIX:
        return testing_same_mix(&a->mix, &b->mix);
    case EVENT_NOTE_OFF:
        return a->off.id == b->off.id && a->off.instrument == b->off.instrument && a->off.lane == b->off.lane &&
               a->off.release_s == b->off.release_s;
    case EVENT_NOTE_ON:
        return testing_same_note(&a->note, &b->note);
    case EVENT_CHORD:
        return testing_same_chord(a->chord.chord, b->chord.chord) && a->chord.flats == b->chord.flats &&
               a->chord.until_frame == b->chord.until_frame;
    default:
        return a->section.index == b->section.index && a->section.until_frame == b->section.until_frame &&
               strcmp(a->section.name, b->section.name) == 0;
    }
}

bool testing_same_score(const struct score *a, const struct score *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!testing_same(&a->events[i], &b->events[i]))
            return false;
    return true;
}
