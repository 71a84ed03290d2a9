// What the tests of this folder share: programmes with logs, and long stretches of score.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/frames.h"
#include "compose/compose.h"

#define SECONDS(n) ((uint64_t)((n) * (double)FRAME_RATE))
#define HOURS(n) ((uint64_t)(n) * 3600 * FRAME_RATE)

struct score {
    struct event *events;
    size_t count, cap;
};

struct mood testing_mood(const char *key, enum mode mode);
// A log that begins with `mood`. Ends the test when memory is short, as all of these do.
struct mood_log testing_log(const struct mood *mood);
void testing_append(struct mood_log *log, uint64_t at_frame, const struct mood *mood);
// Moves one parameter of a mood to a hashed value; it may be the same.
void testing_move(struct mood *mood, enum mood_id id, uint64_t chance);
// Random changes of random parameters, `every` frames apart on average, up to `until`.
struct mood_log testing_restless_log(uint64_t seed, uint64_t every, uint64_t until);
struct score testing_score(const struct program *program, uint64_t from, uint64_t to);
void score_free(struct score *score);
bool testing_same(const struct event *a, const struct event *b);
bool testing_same_score(const struct score *a, const struct score *b);
