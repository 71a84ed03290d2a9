// Beds of weather: each comes in over some seconds while the one before goes. What it is made of follows from the
// scene.
#include "base/random.h"
#include "compose/ensemble.h"
#include "compose/layers.h"
#include "compose/purpose.h"

#define BED_FRAMES ((uint64_t)27 * FRAME_RATE)

enum { BED_LANES = 4 };

enum { DRAW_COLOUR, DRAW_STRENGTH, DRAW_PAN, DRAWS };

static double bed_draw(uint64_t seed, uint64_t bed, uint64_t what)
{
    return random_unit(seed, PURPOSE_TEXTURE, bed * DRAWS + what);
}

static void bed_add(const struct program *program, uint64_t bed, struct events *events)
{
    uint64_t at_frame = bed * BED_FRAMES;
    enum instrument instrument = ensemble_instrument(program, at_frame, LAYER_TEXTURE, bed);
    struct mood mood = mood_log_mood(program->log, at_frame);
    int lane = (int)(bed % BED_LANES);
    struct note note = {
        .id = note_id(at_frame, instrument, lane),
        .layer = LAYER_TEXTURE,
        .instrument = (uint8_t)instrument,
        .lane = (uint8_t)lane,
        .pitch = (float)(54.0 + 18.0 * bed_draw(program->seed, bed, DRAW_COLOUR)),
        .velocity = (float)(0.4 + 0.2 * bed_draw(program->seed, bed, DRAW_STRENGTH)),
        .pan = (float)(0.5 * (bed_draw(program->seed, bed, DRAW_PAN) - 0.5)),
        .brightness = (float)(0.25 + 0.4 * mood.texture),
        .attack_s = 7.0f,
        .release_s = 14.0f,
        .hold_frames = (uint32_t)(BED_FRAMES + (uint64_t)3 * FRAME_RATE),
    };
    events_add_note(events, at_frame, &note);
}

void texture_compose(const struct program *program, struct events *events)
{
    for (uint64_t bed = events->from / BED_FRAMES; bed * BED_FRAMES < events->to; bed++)
        if (bed * BED_FRAMES >= events->from)
            bed_add(program, bed, events);
}
