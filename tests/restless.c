#include "restless.h"

#include "base/frames.h"
#include "score/scene.h"
#include "score/tuning.h"

// The n-th move of one parameter: every one has its turn, switches go off and on again, numbers jump between their ends
// (a morph takes two minutes, or no time).
static struct mood moved(const struct mood *mood, int n)
{
    const struct mood_parameter *parameter = &mood_parameters[n % MOOD_PARAMETERS];
    struct mood_patch patch = {.set = 1u << (n % MOOD_PARAMETERS), .values = *mood};
    int turn = n / MOOD_PARAMETERS;
    char *field = (char *)&patch.values + parameter->offset;
    switch (parameter->kind) {
    case MOOD_KIND_KEY:
        key_from_text((const char *[]){"D", "F# major", "Bb", "E minor"}[turn % 4], (struct key *)field);
        break;
    case MOOD_KIND_SCENE: patch = scene_patch(&scenes[(1 + turn * 5) % scene_count]); break;
    case MOOD_KIND_TUNING: *(int *)field = turn % tuning_count; break;
    case MOOD_KIND_MODE: *(enum mode *)field = (enum mode)((n * 5 + turn) % MODE_COUNT); break;
    case MOOD_KIND_INTEGER: *(int *)field = turn % 2 ? (int)parameter->min : 120; break;
    case MOOD_KIND_UNIT: *(double *)field = turn % 2 ? .05 : 1.; break;
    case MOOD_KIND_TOGGLE: *(bool *)field = !*(bool *)field; break;
    }
    return mood_apply(mood, &patch);
}

// The n-th change; every fifth one moves three parameters at once.
static struct mood next_mood(const struct mood *mood, int n)
{
    struct mood next = moved(mood, n);
    for (int more = 1; n % 5 == 4 && more < 3; more++)
        next = moved(&next, n + 7 * more);
    return next;
}

enum status restless_log(struct mood_log *log, int every_s, size_t seconds)
{
    struct mood mood = mood_default();
    enum status status = mood_log_init(log, &mood);
    for (int n = 0; status == STATUS_OK && (size_t)(n + 1) * (size_t)every_s < seconds; n++) {
        mood = next_mood(&mood, n);
        uint64_t at_frame = (uint64_t)(n + 1) * (uint64_t)every_s * FRAME_RATE;
        status = mood_log_append(log, (uint64_t)n + 1, at_frame, &mood);
    }
    return status;
}
