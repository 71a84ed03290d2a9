// Any bytes as a control command: what is read obeys the table, what is refused changes nothing and says why.
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "control/control.h"
#include "control/mood_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct mood_refusal *refusal)
{
    check(strnlen(refusal->field, sizeof refusal->field) < sizeof refusal->field);
    check(strnlen(refusal->value, sizeof refusal->value) < sizeof refusal->value);
    size_t constraint_len = strnlen(refusal->constraint, sizeof refusal->constraint);
    check(constraint_len > 0 && constraint_len < sizeof refusal->constraint);
    json_t *echo = json_pack("{s:s,s:s,s:s}", "field", refusal->field, "value", refusal->value, "constraint",
                             refusal->constraint);
    check(echo);
    json_decref(echo);
}

static void check_round_trip(const struct mood *mood)
{
    struct mood_patch back;
    struct mood_refusal refusal;
    json_t *json = mood_to_json(mood);
    check(json && mood_patch_from_json(json, NULL, &back, &refusal) == STATUS_OK);
    check(mood_difference(mood, &back.values) == 0);
    json_decref(json);
}

static void check_submit(const struct mood_patch *patch)
{
    struct clock clock;
    struct control_result result;
    clock_init_virtual(&clock, 1000, 0);
    struct control_config config = {.clock = &clock, .origin_ns = 0, .guard_frames = 9600, .mood = mood_default()};
    struct sequencer *sequencer = sequencer_create(&config);
    check(sequencer && sequencer_submit(sequencer, patch, CONTROL_USER, 0, &result) == STATUS_OK);
    check((result.changed == 0) == (result.sequence == 0));
    check_round_trip(&result.mood);
    check(result.changed == 0 || sequencer_undo(sequencer, 0, &result) == STATUS_OK);
    check(mood_difference(&result.mood, &config.mood) == 0);
    sequencer_destroy(sequencer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ignored[] = {"type", NULL};
    struct mood_patch patch = {.set = UINT32_MAX};
    struct mood_refusal refusal;
    size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_t *json = json_loadb((const char *)data, size, flags, NULL);
    if (!json)
        return 0;
    if (mood_patch_from_json(json, ignored, &patch, &refusal) == STATUS_OK) {
        check(patch.set >> MOOD_PARAMETERS == 0);
        check_round_trip(&patch.values);
        check_submit(&patch);
    } else {
        check(patch.set == UINT32_MAX);
        check_refusal(&refusal);
    }
    json_decref(json);
    return 0;
}
