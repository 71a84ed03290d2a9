#include "compose/compose.h"

#include <string.h>

#include "compose/form.h"
#include "compose/harmony.h"
#include "compose/layers.h"
#include "compose/passage.h"

static void compose_section(struct section section, struct events *events)
{
    struct event event = {
        .at_frame = section.from,
        .kind = EVENT_SECTION,
        .section = {.index = section.index, .until_frame = section.to},
    };
    memcpy(event.section.name, section.palette->name, sizeof event.section.name);
    events_add(events, &event);
}

// Moves the notes of a list that have a pitch to where the tuning has it, above the tonic: key and tuning are those of
// the chord that they begin in, as a chord runs on for a while when they change. What weather has is no pitch. Most
// notes of a list lie in one chord, so the last one is kept.
static void compose_tune(const struct program *program, struct event *list, int count)
{
    struct passage passage = {.until = 0};
    for (int i = 0; i < count; i++) {
        struct note *note = &list[i].note;
        if (list[i].kind != EVENT_NOTE_ON || note->layer == LAYER_KICK || note->layer == LAYER_SWELL ||
            note->layer == LAYER_TEXTURE)
            continue;
        if (list[i].at_frame < passage.onset || list[i].at_frame >= passage.until)
            passage = passage_at(program, list[i].at_frame);
        const struct mood *mood = &mood_log_at(program->log, passage.onset)->mood;
        if (mood->tuning != TUNING_EQUAL)
            note->pitch = (float)tuning_pitch(mood_log_tuning(program->log, mood), key_tonic(mood->key),
                                              (double)note->pitch);
    }
}

int compose_events(const struct program *program, uint64_t from, uint64_t to, struct event *out)
{
    struct events events = {.out = out, .cap = COMPOSE_MAX_EVENTS, .from = from, .to = to};
    if (from >= to)
        return 0;
    mix_compose(program, &events);
    compose_section(section_at(program->seed, to - 1), &events);
    pads_compose(program, &events);
    melody_compose(program, &events);
    percussion_compose(program, &events);
    loops_compose(program, &events);
    texture_compose(program, &events);
    drone_compose(program, &events);
    compose_tune(program, out, events.count);
    events_sort(&events);
    return events.count;
}

// Keeps of the notes that end by themselves those that still hold at `frame`.
static void compose_keep_held(struct events *events, uint64_t frame)
{
    int kept = 0;
    for (int i = 0; i < events->count; i++)
        if (events->out[i].at_frame + events->out[i].note.hold_frames > frame)
            events->out[kept++] = events->out[i];
    events->count = kept;
}

int compose_sounding(const struct program *program, uint64_t frame, struct event *out)
{
    out[0] = (struct event){.at_frame = frame, .kind = EVENT_MIX, .mix = mix_at(program, frame)};
    if (frame == 0)
        return 1;
    struct events events = {.out = out + 1, .cap = COMPOSE_MAX_EVENTS - 1, .to = frame};
    events.from = frame > LAYERS_LONGEST_HOLD ? frame - LAYERS_LONGEST_HOLD : 0;
    melody_compose(program, &events);
    percussion_compose(program, &events);
    loops_compose(program, &events);
    events.from = frame > TEXTURE_LONGEST_HOLD ? frame - TEXTURE_LONGEST_HOLD : 0;
    texture_compose(program, &events);
    compose_keep_held(&events, frame);
    events.from = 0;
    pads_sounding(program, frame, &events);
    drone_sounding(program, frame, &events);
    compose_tune(program, out + 1, events.count);
    events_sort(&events);
    compose_section(section_at(program->seed, frame - 1), &events);
    return events.count + 1;
}
