// What a sound is made from, read from outside: a control log as GET /api/stations/NAME/log tells it, a scene, and
// parameters on a command line.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "score/mood_log.h"
#include "score/scene.h"
#include "tools/arguments.h"

struct score_file {
    uint64_t seed;
    uint64_t lead_frames;
    struct mood_log log;
};

// Reads {"seed", "begin_minute", "scala": {"title", "offset_cents": [12]}, "lead_frames", "entries": [{"sequence",
// "at_frame", "parameters"}]}; without begin_minute it begins at noon, without scala that tuning is the equal one. An
// entry moves the parameters that it names, the first one those of the standard mood.
//   failure: out, what is wrong.
// Errors: STATUS_INVALID; STATUS_MEMORY.
MUST_USE enum status score_file_read(struct score_file *score, const char *json, size_t len, struct text *failure);
void score_file_finish(struct score_file *score);
// Errors: STATUS_INVALID, with the names that there are.
MUST_USE enum status score_scene(const char *name, const struct scene **scene, struct text *failure);
// Puts `name=value` items over a mood, all of them as one wish: what stands beside a scene is kept, whatever the order.
// A value is JSON ("0.5", "true") or bare text ("C# minor"); of several for one name the last is taken.
// Errors: STATUS_INVALID, with what is wrong.
MUST_USE enum status score_set(struct mood *mood, const struct argument_list *items, struct text *failure);
