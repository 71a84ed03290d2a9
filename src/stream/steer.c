#include "stream/steer.h"

#include <stdio.h>

enum status steer(const struct stream_station *station, const json_t *parameters, const char *const *ignored,
                  uint64_t hand, struct steering *steering)
{
    *steering = (struct steering){0};
    enum status status = mood_patch_from_json(parameters, ignored, &steering->patch, &steering->refusal);
    if (status != STATUS_OK)
        return status;
    return sequencer_submit(station->sequencer, &steering->patch, CONTROL_USER, hand, &steering->result);
}

struct mood_entry steer_latest(const struct stream_station *station)
{
    struct mood_entry entry = {.mood = mood_default()};
    (void)sequencer_entries(station->sequencer, sequencer_latest(station->sequencer), &entry, 1);
    return entry;
}

uint64_t steer_generation(const struct stream_station *station, uint64_t frame)
{
    uint64_t sequence = sequencer_latest(station->sequencer);
    struct mood_entry entry;
    while (sequence > 0 && sequencer_entries(station->sequencer, sequence, &entry, 1) == 1 && entry.at_frame > frame)
        sequence--;
    return sequence;
}

const char *steer_complaint(enum status status, const struct steering *steering, char *text, int cap)
{
    const struct mood_refusal *refusal = &steering->refusal;
    if (status == STATUS_INVALID)
        snprintf(text, (size_t)cap, "%s: %s is not %s", refusal->field, refusal->value, refusal->constraint);
    else if (status == STATUS_RATE_LIMITED)
        snprintf(text, (size_t)cap, "too many changes, try again in a second");
    else
        snprintf(text, (size_t)cap, "the change could not be made: %s", status_text(status));
    return text;
}
