// The drone: the tonic, two octaves below middle C, from the start of a section or a change of key to the next of
// these.
#include "compose/ensemble.h"
#include "compose/layers.h"
#include "compose/passage.h"

enum { DRONE_LANES = 8, DRONE_LOWEST = 31 };

struct drone {
    struct section section;
    int ordinal;              // drones since the section began
    int tonic;
    uint64_t on, off;
    struct passage passage;   // the one that `off` is the end of
};

static int drone_tonic(const struct program *program, uint64_t frame)
{
    return key_tonic(mood_log_at(program->log, frame)->mood.key);
}

// Goes on from passage to passage for as long as the tonic stays.
static void drone_extend(const struct program *program, struct drone *drone)
{
    drone->on = drone->passage.onset;
    drone->tonic = drone_tonic(program, drone->on);
    while (drone->passage.until < drone->section.to &&
           drone_tonic(program, drone->passage.until) == drone->tonic)
        passage_advance(program, &drone->passage);
    drone->off = drone->passage.until;
}

static struct drone drone_first(const struct program *program, struct section section)
{
    struct drone drone = {.section = section, .passage = passage_first(program, section)};
    drone_extend(program, &drone);
    return drone;
}

static void drone_advance(const struct program *program, struct drone *drone)
{
    if (drone->off == drone->section.to) {
        *drone = drone_first(program, section_at(program->seed, drone->off));
        return;
    }
    passage_advance(program, &drone->passage);
    drone->ordinal++;
    drone_extend(program, drone);
}

// Two sections that meet have lanes of their own. Within one they are taken in turn, and no drone is shorter than 4 s.
static int drone_lane(const struct drone *drone)
{
    return (int)(drone->section.index % 2) * DRONE_LANES + drone->ordinal % DRONE_LANES;
}

static enum instrument drone_instrument(const struct program *program, const struct drone *drone)
{
    return ensemble_instrument(program, drone->on, LAYER_DRONE, drone->section.index);
}

static void drone_add_on(const struct program *program, const struct drone *drone, struct events *events)
{
    enum instrument instrument = drone_instrument(program, drone);
    int lane = drone_lane(drone);
    struct note note = {
        .id = note_id(drone->on, instrument, lane),
        .layer = LAYER_DRONE,
        .instrument = (uint8_t)instrument,
        .lane = (uint8_t)lane,
        .pitch = (float)(DRONE_LOWEST + (drone->tonic + 12 - DRONE_LOWEST % 12) % 12),
        .velocity = 0.5f,
        .brightness = 0.4f,
        .attack_s = 8.0f,
        .release_s = 12.0f,
    };
    events_add_note(events, drone->on, &note);
}

static void drone_add_off(const struct program *program, const struct drone *drone, struct events *events)
{
    enum instrument instrument = drone_instrument(program, drone);
    int lane = drone_lane(drone);
    struct event event = {
        .at_frame = drone->off,
        .kind = EVENT_NOTE_OFF,
        .off = {.id = note_id(drone->on, instrument, lane), .instrument = (uint8_t)instrument, .lane = (uint8_t)lane},
    };
    events_add(events, &event);
}

static struct drone drone_at(const struct program *program, uint64_t frame)
{
    struct drone drone = drone_first(program, section_at(program->seed, frame));
    while (drone.off <= frame)
        drone_advance(program, &drone);
    return drone;
}

// No chord begins or ends in the range: then no drone does.
static bool drone_goes_on(const struct program *program, const struct events *events)
{
    if (events->from == 0)
        return false;
    return passage_at(program, events->from - 1).until >= events->to;
}

void drone_compose(const struct program *program, struct events *events)
{
    if (drone_goes_on(program, events))
        return;
    struct drone drone = drone_at(program, events->from > 0 ? events->from - 1 : 0);
    for (;; drone_advance(program, &drone)) {
        drone_add_on(program, &drone, events);
        drone_add_off(program, &drone, events);
        if (drone.off >= events->to)
            break;
    }
}

void drone_sounding(const struct program *program, uint64_t frame, struct events *events)
{
    struct drone drone = drone_at(program, frame - 1);
    drone_add_on(program, &drone, events);
}
