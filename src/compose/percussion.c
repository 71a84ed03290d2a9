// Kicks every four to eight bars, and swells: both counted in beats, so that the tempo moves them.
#include "base/random.h"
#include "compose/layers.h"
#include "compose/purpose.h"

#define KICK_CELL (24 * MOOD_LOG_BEAT)
#define SWELL_CELL (44 * MOOD_LOG_BEAT)
#define KICK_LEAST_INTENSITY .3

enum { PERCUSSION_LANES = 16 };

// One point in each cell of the beat count.
typedef uint64_t percussion_point(uint64_t seed, uint64_t cell);
// Fills what is the layer's own of a note that would begin at the frame. False when it stays silent.
typedef bool percussion_note(const struct program *program, uint64_t cell, const struct mood *mood, struct note *note);

// On the first beat of a bar, 16 to 32 beats after the one before.
static uint64_t kick_point(uint64_t seed, uint64_t cell)
{
    return cell * KICK_CELL + (1 + random_below(seed, PURPOSE_KICK, cell, 3)) * 4 * MOOD_LOG_BEAT;
}

static bool kick_note(const struct program *program, uint64_t cell, const struct mood *mood, struct note *note)
{
    if (!mood->enable_kicks || mood->intensity < KICK_LEAST_INTENSITY)
        return false;
    double chance = random_unit(program->seed, PURPOSE_KICK, ~cell);
    note->pitch = (float)(28 + (key_tonic(mood->key) + 8) % 12);
    note->velocity = (float)(0.35 + 0.4 * mood->intensity + 0.15 * chance);
    note->brightness = (float)(0.1 + 0.5 * mood->intensity);
    note->attack_s = .008f;
    note->release_s = .5f;
    note->hold_frames = (uint32_t)frames_round_down(FRAME_RATE * 2 / 5, CONTROL_FRAMES);
    return true;
}

static uint64_t swell_point(uint64_t seed, uint64_t cell)
{
    return cell * SWELL_CELL + (uint64_t)(0.6 * (double)SWELL_CELL * random_unit(seed, PURPOSE_SWELL, 4 * cell));
}

// A wave: it rises to its crest and turns at once. It is heard for about half of its release, so for 3 to 8 s in all.
static bool swell_note(const struct program *program, uint64_t cell, const struct mood *mood, struct note *note)
{
    double threshold = random_unit(program->seed, PURPOSE_SWELL, 4 * cell + 1);
    if (!mood->enable_swells || threshold >= 0.3 + 0.6 * mood->intensity)
        return false;
    double length = random_unit(program->seed, PURPOSE_SWELL, 4 * cell + 2);
    double chance = random_unit(program->seed, PURPOSE_SWELL, 4 * cell + 3);
    double rise_s = 1.8 + 2.7 * length;
    note->pitch = (float)(60 + (key_tonic(mood->key) + 7) % 12 + (chance < 0.5 ? 0 : 12));
    note->velocity = (float)(0.25 + 0.3 * mood->intensity + 0.15 * chance);
    note->pan = (float)(1.4 * (random_unit(program->seed, PURPOSE_SWELL, ~cell) - 0.5));
    note->brightness = (float)(0.2 + 0.4 * mood->intensity + 0.2 * length);
    note->attack_s = (float)rise_s;
    note->release_s = (float)(3.0 + 4.0 * length);
    note->hold_frames = (uint32_t)frames_round_down((uint64_t)(rise_s * FRAME_RATE), CONTROL_FRAMES);
    return true;
}

struct percussion {
    enum layer layer;
    enum instrument instrument;
    uint64_t cell_beats;
    percussion_point *point;
    percussion_note *fill;
};

static const struct percussion kick = {LAYER_KICK, INSTRUMENT_KICK, KICK_CELL, kick_point, kick_note};
static const struct percussion swell = {LAYER_SWELL, INSTRUMENT_SWELL, SWELL_CELL, swell_point, swell_note};

static void percussion_add(const struct program *program, const struct percussion *what, uint64_t cell, uint64_t beats,
                           struct events *events)
{
    uint64_t at_frame = frames_round_up(mood_log_frame_of_beats(program->log, beats), CONTROL_FRAMES);
    int lane = (int)(cell % PERCUSSION_LANES);
    struct note note = {.id = note_id(at_frame, what->instrument, lane), .layer = (uint8_t)what->layer,
                        .instrument = (uint8_t)what->instrument, .lane = (uint8_t)lane};
    struct mood mood = mood_log_mood(program->log, at_frame);
    if (what->fill(program, cell, &mood, &note))
        events_add_note(events, at_frame, &note);
}

static void percussion_layer(const struct program *program, const struct percussion *what, struct events *events)
{
    struct beat_range range = beat_range_of(program->log, events->from, events->to);
    for (uint64_t cell = range.low / what->cell_beats; cell * what->cell_beats < range.high; cell++) {
        uint64_t beats = what->point(program->seed, cell);
        if (beats >= range.low && beats < range.high)
            percussion_add(program, what, cell, beats, events);
    }
}

void percussion_compose(const struct program *program, struct events *events)
{
    percussion_layer(program, &kick, events);
    percussion_layer(program, &swell, events);
}
