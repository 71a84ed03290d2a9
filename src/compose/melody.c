// The lead voice: a candidate in each slot of three quarters of a second, anywhere within it; it sounds when its
// threshold lies under the density in force. Slots are grouped into phrases. One phrase of four is a motif: three or
// four notes whose rhythm and contour come back over other chords, three or four times within three minutes, the last
// time with another end.
#include "base/random.h"
#include "compose/daylight.h"
#include "compose/ensemble.h"
#include "compose/harmony.h"
#include "compose/hours.h"
#include "compose/layers.h"
#include "compose/noise.h"
#include "compose/purpose.h"

enum {
    SLOT_FRAMES = 576 * CONTROL_FRAMES,
    PHRASE_SLOTS = 8,
    MOTIF_EVERY = 4,        // phrases, of which one is a motif
    MEMORY_MOTIFS = 7,      // so many in all, of two kinds, then there are others: just under three minutes
    MEMORY_KINDS = 2,
    MOTIF_ORDERS = 4,
    STRUCK_SLOTS = 6,       // for so long a note is still heard when the next of its pitch comes
    LEAD_LANES = 16,
    LEAD_LOW = 58,
    LEAD_HIGH = 86,
};

#define MOTIF_NOTES 3.25       // in the mean
#define MOTIF_DENSITY 1.2      // notes a phrase from which on every motif sounds
#define NIGHT_REACH 7.0    // semitones between the deepest night and the height of the day
#define REGISTER_FRAMES ((uint64_t)53 * FRAME_RATE)

// What is drawn for a candidate.
enum { DRAW_TIME, DRAW_THRESHOLD, DRAW_KIND, DRAW_STEP, DRAW_HOLD, DRAW_VELOCITY, DRAW_PAN, DRAW_SIDE, DRAWS };

struct candidate {
    uint64_t seed, slot, phrase;
    uint64_t source;        // the phrase, or the motif that it repeats
    int place;              // slot in the phrase
    bool motif, last;       // last: of its kind
    uint64_t at_frame;
};

static double candidate_draw(const struct candidate *candidate, int place, int what)
{
    uint64_t index = (candidate->source * PHRASE_SLOTS + (uint64_t)place) * DRAWS + (uint64_t)what;
    return random_unit(candidate->seed, PURPOSE_LEAD, index);
}

// In which order the two kinds come, and which is the last of either.
static const struct {
    uint8_t kind[MEMORY_MOTIFS], last[MEMORY_KINDS];
} motif_orders[MOTIF_ORDERS] = {
    {{0, 0, 1, 0, 1, 1, 0}, {6, 5}}, {{0, 1, 0, 1, 1, 0, 0}, {6, 4}},
    {{0, 1, 1, 0, 0, 1, 0}, {6, 5}}, {{0, 0, 1, 1, 0, 0, 1}, {5, 6}},
};

// Makes the candidate one of a motif if its phrase is one.
static void candidate_remember(struct candidate *candidate)
{
    uint64_t group = candidate->phrase / MOTIF_EVERY, memory = group / MEMORY_MOTIFS;
    if (candidate->phrase % MOTIF_EVERY != random_below(candidate->seed, PURPOSE_MOTIF_USE, group, MOTIF_EVERY))
        return;
    uint32_t order = random_below(candidate->seed, PURPOSE_MOTIF_ORDER, memory, MOTIF_ORDERS);
    int place = (int)(group % MEMORY_MOTIFS), kind = motif_orders[order].kind[place];
    candidate->motif = true;
    candidate->last = motif_orders[order].last[kind] == place;
    candidate->source = (memory * MEMORY_KINDS + (uint64_t)kind) | UINT64_C(1) << 40;
}

static struct candidate candidate_of(uint64_t seed, uint64_t slot)
{
    uint64_t phrase = slot / PHRASE_SLOTS;
    struct candidate candidate = {
        .seed = seed, .slot = slot, .phrase = phrase, .source = phrase, .place = (int)(slot % PHRASE_SLOTS)};
    candidate_remember(&candidate);
    double jitter = 0.85 * SLOT_FRAMES * candidate_draw(&candidate, candidate.place, DRAW_TIME);
    candidate.at_frame = slot * SLOT_FRAMES + frames_round_down((uint64_t)jitter, CONTROL_FRAMES);
    return candidate;
}

// Notes per second: .05 to .6 where the scene asks for neither more nor fewer.
static double melody_density(const struct mood *mood, double share)
{
    double pace = 0.85 + 0.3 * (mood->bpm - 40) / 80.0;
    return (0.07 + 0.36 * mood->intensity) * pace * share;
}

// Of the eight places of a motif those three or four that were drawn lowest have notes.
static bool candidate_is_of_motif(const struct candidate *candidate)
{
    uint32_t notes = random_below(candidate->seed, PURPOSE_MOTIF_NOTES, candidate->source, 4) == 0 ? 4 : 3, lower = 0;
    double own = candidate_draw(candidate, candidate->place, DRAW_THRESHOLD);
    for (int place = 0; place < PHRASE_SLOTS; place++)
        lower += candidate_draw(candidate, place, DRAW_THRESHOLD) < own;
    return lower < notes;
}

// share: factor on the density. What motifs bring is what other phrases lack.
static bool candidate_sounds(const struct candidate *candidate, const struct mood *mood, double share)
{
    double notes = melody_density(mood, share) * PHRASE_SLOTS * SLOT_FRAMES / FRAME_RATE;
    double motifs = notes < MOTIF_DENSITY ? notes / MOTIF_DENSITY : 1.0;
    if (!mood->enable_melody)
        return false;
    if (candidate->motif)
        return random_unit(candidate->seed, PURPOSE_MOTIF_SOUNDS, candidate->phrase) < motifs &&
               candidate_is_of_motif(candidate);
    double others = (notes - motifs * MOTIF_NOTES / MOTIF_EVERY) * MOTIF_EVERY / (MOTIF_EVERY - 1);
    return candidate_draw(candidate, candidate->place, DRAW_THRESHOLD) < others / PHRASE_SLOTS;
}

// A step of the line at a place of the phrase. A motif that comes for the last time ends in another way.
static double candidate_step(const struct candidate *candidate, int place)
{
    struct candidate own = *candidate;
    if (candidate->last && place >= PHRASE_SLOTS / 2)
        own.source = candidate->phrase;
    return 3.0 * (candidate_draw(&own, place, DRAW_STEP) - 0.5);
}

// Where the line wants to be: a slow wandering centre, and small steps from the start of the phrase.
//   reach: semitones that it lies higher.
static double candidate_target(const struct candidate *candidate, double reach)
{
    double target = 72.0 + reach;
    target += 14.0 * (noise_at(candidate->seed, PURPOSE_LEAD_REGISTER, candidate->at_frame, REGISTER_FRAMES) - 0.5);
    for (int place = 0; place <= candidate->place; place++)
        target += candidate_step(candidate, place);
    return target;
}

// The tones that the note may take, as bits of pitch classes: of the chord, of the scale beside it, or outside both.
// `complexity` moves the shares from .7, .25, .05 to .3, .45, .25.
static unsigned candidate_tones(const struct candidate *candidate, const struct harmony *harmony, double complexity)
{
    unsigned chord = harmony->chord.tones, scale = harmony_scale(&harmony->mood);
    double kind = candidate_draw(candidate, candidate->place, DRAW_KIND);
    if (kind < 0.7 - 0.4 * complexity)
        return chord;
    if (kind < 0.95 - 0.2 * complexity)
        return scale & ~chord;
    return 0xfff & ~scale & ~chord;
}

// The pitch nearest to the target among the tones; of two equally near ones the hashed side.
static int candidate_pitch(double target, unsigned tones, double side)
{
    int middle = (int)target, sign = side < 0.5 ? 1 : -1;
    middle = middle < LEAD_LOW ? LEAD_LOW : middle > LEAD_HIGH ? LEAD_HIGH : middle;
    int away = 0;
    while (!(tones >> (middle + away * sign) % 12 & 1) && !(tones >> (middle - away * sign) % 12 & 1))
        away++;
    return tones >> (middle + away * sign) % 12 & 1 ? middle + away * sign : middle - away * sign;
}

static uint32_t candidate_hold(const struct candidate *candidate, const struct mood *mood)
{
    double seconds = (1.2 + 3.0 * candidate_draw(candidate, candidate->place, DRAW_HOLD)) * 70.0 / mood->bpm;
    seconds = seconds < 1.0 ? 1.0 : seconds > 6.0 ? 6.0 : seconds;
    return (uint32_t)frames_round_down((uint64_t)(seconds * FRAME_RATE), CONTROL_FRAMES);
}

// What hours, sections and the time of day make of the melody.
struct melody_setting {
    double share;    // factor on the density
    double reach;    // semitones that it lies higher
};

static struct melody_setting melody_setting(const struct program *program, uint64_t frame, const struct mood *mood)
{
    const struct palette *palette = section_at(program->seed, frame).palette;
    struct hours hours = hours_at(program->seed, frame);
    double day = daylight_at(program, frame, mood), wanted = ensemble_amounts(program, frame).melody;
    return (struct melody_setting){
        .share = wanted * palette->density * hours.density * (0.7 + 0.6 * day),
        .reach = palette->reach + hours.reach + NIGHT_REACH * (day - 0.5),
    };
}

static int melody_pitch(const struct candidate *candidate, const struct harmony *harmony, const struct mood *mood,
                        double reach)
{
    unsigned tones = candidate_tones(candidate, harmony, mood->melody_complexity);
    double side = candidate_draw(candidate, candidate->place, DRAW_SIDE);
    return candidate_pitch(candidate_target(candidate, reach), tones, side);
}

// How many of the last notes had this pitch, as the chord that sounds now would have it: whoever plays strikes more
// softly what still rings, or the sum of both would stand out.
static int melody_struck(const struct program *program, const struct candidate *candidate,
                         const struct harmony *harmony, int pitch)
{
    int struck = 0;
    for (uint64_t back = 1; back <= STRUCK_SLOTS && back <= candidate->slot; back++) {
        struct candidate before = candidate_of(candidate->seed, candidate->slot - back);
        struct mood mood = mood_log_mood(program->log, before.at_frame);
        struct melody_setting setting = melody_setting(program, before.at_frame, &mood);
        struck += candidate_sounds(&before, &mood, setting.share) &&
                  melody_pitch(&before, harmony, &mood, setting.reach) == pitch;
    }
    return struck;
}

static void melody_add(const struct program *program, const struct candidate *candidate, const struct mood *mood,
                       const struct melody_setting *setting, struct events *events)
{
    harmony_seek(program, candidate->at_frame, &events->harmony);
    const struct harmony *harmony = &events->harmony;
    int place = candidate->place, pitch = melody_pitch(candidate, harmony, mood, setting->reach);
    bool inside = harmony_scale(&harmony->mood) >> pitch % 12 & 1;
    double gentle = (inside ? 1.0 : 0.7) / (1 + melody_struck(program, candidate, harmony, pitch));
    double velocity = candidate_draw(candidate, place, DRAW_VELOCITY);
    double hold = candidate_draw(candidate, place, DRAW_HOLD);
    int lane = (int)(candidate->slot % LEAD_LANES);
    enum instrument instrument = ensemble_instrument(program, candidate->at_frame, LAYER_LEAD, candidate->slot);
    struct note note = {
        .id = note_id(candidate->at_frame, instrument, lane),
        .layer = LAYER_LEAD,
        .instrument = (uint8_t)instrument,
        .lane = (uint8_t)lane,
        .pitch = (float)pitch,
        .velocity = (float)((0.3 + 0.35 * velocity) * (0.75 + 0.5 * mood->intensity) * gentle),
        .pan = (float)(1.2 * (random_unit(program->seed, PURPOSE_LEAD, ~candidate->slot) - 0.5)),
        .brightness = (float)(0.2 + 0.5 * mood->intensity + 0.25 * velocity),
        .attack_s = (float)(0.02 + 0.09 * hold),
        .release_s = (float)(1.5 + 2.5 * hold),
        .hold_frames = candidate_hold(candidate, mood),
    };
    events_add_note(events, candidate->at_frame, &note);
}

void melody_compose(const struct program *program, struct events *events)
{
    for (uint64_t slot = events->from / SLOT_FRAMES; slot * SLOT_FRAMES < events->to; slot++) {
        struct candidate candidate = candidate_of(program->seed, slot);
        if (candidate.at_frame < events->from || candidate.at_frame >= events->to)
            continue;
        struct mood mood = mood_log_mood(program->log, candidate.at_frame);
        struct melody_setting setting = melody_setting(program, candidate.at_frame, &mood);
        if (candidate_sounds(&candidate, &mood, setting.share))
            melody_add(program, &candidate, &mood, &setting, events);
    }
}
