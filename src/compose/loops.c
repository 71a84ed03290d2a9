// Loops that never realign: each says its one note again and again at a period of its own, and no two periods have a
// common measure. Source of the idea: B. Eno, Music for Airports (1978), tapes of 23 1/2, 25 7/8 and 29 15/16 s.
#include "base/random.h"
#include "compose/ensemble.h"
#include "compose/harmony.h"
#include "compose/layers.h"
#include "compose/purpose.h"

enum { LOOPS = 5, LOOP_FIRST_LANE = 16, LOOP_LOW = 57, LOOP_HIGH = 84 };

#define LOOP_JITTER ((uint64_t)FRAME_RATE)

static const uint64_t loop_frames[LOOPS] = {
    (uint64_t)(23.5 * FRAME_RATE), (uint64_t)(25.875 * FRAME_RATE), (uint64_t)(29.9375 * FRAME_RATE),
    (uint64_t)(34.311 * FRAME_RATE), (uint64_t)(41.777 * FRAME_RATE),
};

// What is drawn for a turn of a loop.
enum { DRAW_TIME, DRAW_THRESHOLD, DRAW_VELOCITY, DRAW_BRIGHTNESS, DRAWS };

struct turn {
    uint64_t loop, number;    // the loop's first turn is 0
    uint64_t at_frame;
};

static double turn_draw(uint64_t seed, const struct turn *turn, uint64_t what)
{
    return random_unit(seed, PURPOSE_LOOP, (turn->number * LOOPS + turn->loop) * DRAWS + what);
}

// The loops set out at different places. A tape is never quite even: each turn comes up to a second late.
static struct turn turn_of(uint64_t seed, uint64_t loop, uint64_t number)
{
    struct turn turn = {.loop = loop, .number = number};
    uint64_t start = random_u64(seed, PURPOSE_LOOP, ~loop) % loop_frames[loop];
    uint64_t late = (uint64_t)((double)LOOP_JITTER * turn_draw(seed, &turn, DRAW_TIME));
    turn.at_frame = frames_round_down(start + number * loop_frames[loop] + late, CONTROL_FRAMES);
    return turn;
}

// A loop keeps its height for a section: a tone of the chord or the scale, whichever is near.
static int turn_pitch(const struct program *program, const struct turn *turn, const struct harmony *harmony)
{
    uint64_t section = harmony->passage.section.index;
    uint32_t height = random_below(program->seed, PURPOSE_LOOP, ~(section * LOOPS + turn->loop + LOOPS), 24);
    unsigned tones = turn->loop % 2 == 0 ? harmony->chord.tones : harmony_scale(&harmony->mood);
    int pitch = LOOP_LOW + (int)height;
    while (!(tones >> pitch % 12 & 1))
        pitch++;
    return pitch < LOOP_HIGH ? pitch : pitch - 12;
}

static void turn_add(const struct program *program, const struct turn *turn, const struct mood *mood,
                     struct events *events)
{
    harmony_seek(program, turn->at_frame, &events->harmony);
    uint64_t index = turn->number * LOOPS + turn->loop;
    enum instrument instrument = ensemble_instrument(program, turn->at_frame, LAYER_LOOP, index);
    int lane = LOOP_FIRST_LANE + (int)(turn->loop * 3 + turn->number % 3);
    double velocity = turn_draw(program->seed, turn, DRAW_VELOCITY);
    double brightness = turn_draw(program->seed, turn, DRAW_BRIGHTNESS);
    struct note note = {
        .id = note_id(turn->at_frame, instrument, lane),
        .layer = LAYER_LOOP,
        .instrument = (uint8_t)instrument,
        .lane = (uint8_t)lane,
        .pitch = (float)turn_pitch(program, turn, &events->harmony),
        .velocity = (float)(0.25 + 0.25 * velocity),
        .pan = (float)(0.45 * ((double)turn->loop - 2.0) + 0.2 * (velocity - 0.5)),
        .brightness = (float)(0.15 + 0.3 * mood->intensity + 0.25 * brightness),
        .attack_s = (float)(0.02 + 0.1 * brightness),
        .release_s = 5.0f,
        .hold_frames = (uint32_t)frames_round_down((uint64_t)((4.0 + 3.5 * velocity) * FRAME_RATE), CONTROL_FRAMES),
    };
    events_add_note(events, turn->at_frame, &note);
}

static bool turn_sounds(const struct program *program, const struct turn *turn, const struct mood *mood)
{
    double share = ensemble_amounts(program, turn->at_frame).loops * (0.5 + mood->intensity);
    return mood->enable_melody && turn_draw(program->seed, turn, DRAW_THRESHOLD) < share;
}

void loops_compose(const struct program *program, struct events *events)
{
    for (uint64_t loop = 0; loop < LOOPS; loop++) {
        uint64_t period = loop_frames[loop], first = events->from / period;
        for (uint64_t number = first > 2 ? first - 2 : 0; number * period < events->to; number++) {
            struct turn turn = turn_of(program->seed, loop, number);
            if (turn.at_frame < events->from || turn.at_frame >= events->to)
                continue;
            struct mood mood = mood_log_mood(program->log, turn.at_frame);
            if (turn_sounds(program, &turn, &mood))
                turn_add(program, &turn, &mood, events);
        }
    }
}
