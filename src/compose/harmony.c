#include "compose/harmony.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/random.h"
#include "compose/purpose.h"

// The last chord of a section begins no earlier than this before its end. From there on each chord is voiced so that it
// leads to the one that the next section begins with, whichever of them turns out to be the last.
#define LANDING_FRAMES ((uint64_t)PASSAGE_LONGEST)
// Before that they already turn towards it when they can do nothing better.
#define APPROACH_FRAMES (2 * LANDING_FRAMES)

enum { DRAWS = 12, START_DEPTH = 2, CHOICES = HARMONY_DEGREES * HARMONY_COLOURS };

enum colour { COLOUR_TRIAD, COLOUR_ADD9, COLOUR_SEVENTH, COLOUR_SUS2, COLOUR_SUS4 };

// The ambient chain of the first Auralis, by degree of the mode: i iv V VI III. The other two degrees go on like their
// relatives, the second like the fourth and the seventh like the fifth.
static const int chain_degrees[5] = {0, 3, 4, 5, 2};
static const int chain_rows[HARMONY_DEGREES] = {0, 1, 4, 1, 2, 3, 2};
static const double chain[5][5] = {
    {.2, .3, .1, .3, .1}, {.4, .1, .2, .2, .1}, {.5, .1, .1, .2, .1}, {.3, .2, .1, .2, .2}, {.4, .2, .1, .2, .1},
};

static int harmony_above(enum mode mode, int degree, int steps)
{
    return mode_semitones(mode, degree + steps) - mode_semitones(mode, degree);
}

// The quality of a colour on a degree; -1 when the mode has no such chord.
static int harmony_quality(enum mode mode, int degree, int colour)
{
    bool major = harmony_above(mode, degree, 2) == 4;
    bool whole_second = harmony_above(mode, degree, 1) == 2;
    bool major_seventh = harmony_above(mode, degree, 6) == 11;
    if (harmony_above(mode, degree, 4) == 6)
        return colour == COLOUR_TRIAD ? CHORD_HALF_DIMINISHED : -1;
    switch (colour) {
    case COLOUR_TRIAD: return major ? CHORD_MAJOR : CHORD_MINOR;
    case COLOUR_ADD9: return !whole_second ? -1 : major ? CHORD_ADD9 : CHORD_MIN_ADD9;
    case COLOUR_SEVENTH: return !major ? CHORD_MIN7 : major_seventh ? CHORD_MAJ7 : CHORD_DOM7;
    case COLOUR_SUS2: return whole_second ? CHORD_SUS2 : -1;
    default: return harmony_above(mode, degree, 3) == 5 ? CHORD_SUS4 : -1;
    }
}

static struct chord harmony_chord(const struct mood *mood, int choice)
{
    int degree = choice / HARMONY_COLOURS;
    int quality = harmony_quality(mood->mode, degree, choice % HARMONY_COLOURS);
    int root = (key_tonic(mood->key) + mode_semitones(mood->mode, degree)) % 12;
    return (struct chord){
        .root = (uint8_t)root,
        .degree = (uint8_t)degree,
        .quality = (uint8_t)quality,
        .tones = chord_tones(root, (enum chord_quality)quality),
    };
}

static bool harmony_has(const struct mood *mood, int choice)
{
    return harmony_quality(mood->mode, choice / HARMONY_COLOURS, choice % HARMONY_COLOURS) >= 0;
}

uint16_t harmony_scale(const struct mood *mood)
{
    unsigned scale = 0;
    for (int degree = 0; degree < HARMONY_DEGREES; degree++)
        scale |= 1u << (key_tonic(mood->key) + mode_semitones(mood->mode, degree)) % 12;
    return (uint16_t)scale;
}

// Shares `weight` among the colours of one degree: plain triads at variety 0, up to six tenths coloured at 1.
static void harmony_colour_row(const struct mood *mood, int degree, double weight, double *row)
{
    int others = 0;
    for (int colour = 1; colour < HARMONY_COLOURS; colour++)
        others += harmony_quality(mood->mode, degree, colour) >= 0;
    double coloured = others ? 0.6 * mood->chord_progression_variety : 0.0;
    row[0] = weight * (1.0 - coloured);
    for (int colour = 1; colour < HARMONY_COLOURS; colour++)
        row[colour] = harmony_quality(mood->mode, degree, colour) >= 0 ? weight * coloured / others : 0.0;
}

void harmony_row(const struct mood *mood, int degree, double row[CHOICES])
{
    double variety = mood->chord_progression_variety;
    double degrees[HARMONY_DEGREES];
    for (int i = 0; i < HARMONY_DEGREES; i++)
        degrees[i] = variety / HARMONY_DEGREES;
    for (int i = 0; i < 5; i++)
        degrees[chain_degrees[i]] += (1.0 - variety) * chain[chain_rows[degree]][i];
    for (int i = 0; i < HARMONY_DEGREES; i++)
        harmony_colour_row(mood, i, degrees[i], row + i * HARMONY_COLOURS);
}

// The chord that a section begins with, in its own place: known to both neighbours, plain, never the dominant.
static struct chord harmony_agreed(uint64_t seed, uint32_t section, const struct mood *mood)
{
    static const int degrees[] = {0, 0, 5, 3};
    uint32_t pick = random_below(seed, PURPOSE_CHORD_AGREED, section, 4);
    return harmony_chord(mood, degrees[pick] * HARMONY_COLOURS);
}

// Where the voices have to be led by the end of the section.
static struct voicing harmony_goal(const struct program *program, const struct harmony *now)
{
    return voicing_home(harmony_agreed(program->seed, now->passage.section.index + 1, &now->mood));
}

// Of every `stride`-th chord of the key the one that is nearest to `goal`.
static bool harmony_nearest_of(struct harmony *now, int stride, const struct voicing *towards, struct voicing goal)
{
    struct voicing from = now->voicing, voicing;
    int least = 1 << 10;
    for (int choice = 0; choice < CHOICES; choice += stride) {
        if (!harmony_has(&now->mood, choice))
            continue;
        struct chord chord = harmony_chord(&now->mood, choice);
        if (!voicing_lead(from, chord, towards, &voicing) || voicing_motion(goal, voicing) >= least)
            continue;
        least = voicing_motion(goal, voicing);
        now->chord = chord;
        now->voicing = voicing;
    }
    return least < 1 << 10;
}

// The plain chord of the key that is nearest to `goal`, a coloured one when no plain one keeps the rules. `towards` as
// in voicing_lead. False when there is none: the voices then stay where they are.
static bool harmony_nearest(struct harmony *now, const struct voicing *towards, struct voicing goal)
{
    return harmony_nearest_of(now, HARMONY_COLOURS, towards, goal) || harmony_nearest_of(now, 1, towards, goal);
}

static int harmony_pick(const double row[CHOICES], double at)
{
    int last = 0;
    for (int choice = 0; choice < CHOICES; choice++) {
        if (row[choice] <= 0.0)
            continue;
        last = choice;
        at -= row[choice];
        if (at < 0.0)
            break;
    }
    return last;
}

// Draws from the chain until a chord can be led to. False when none of the draws can.
static bool harmony_draw(const struct program *program, struct harmony *now, const struct voicing *towards)
{
    double row[CHOICES];
    harmony_row(&now->mood, now->chord.degree, row);
    uint64_t step = (uint64_t)now->passage.section.index << 16 | (uint64_t)now->passage.ordinal << 4;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        int choice = harmony_pick(row, random_unit(program->seed, PURPOSE_CHORD, step + draw));
        struct chord chord = harmony_chord(&now->mood, choice);
        struct voicing voicing;
        if (!voicing_lead(now->voicing, chord, towards, &voicing))
            continue;
        now->chord = chord;
        now->voicing = voicing;
        return true;
    }
    return false;
}

// Goes on from the chord before to the passage that `now` stands at.
static void harmony_step(const struct program *program, struct harmony *now)
{
    struct mood mood = mood_log_mood(program->log, now->passage.onset);
    bool same = passage_same_key(&mood, &now->mood);
    now->mood = mood;
    struct voicing goal;
    bool ends = now->passage.onset + APPROACH_FRAMES >= now->passage.section.to;
    if (ends)
        goal = harmony_goal(program, now);
    if (same && harmony_draw(program, now, ends ? &goal : NULL))
        return;
    if (!harmony_nearest(now, ends ? &goal : NULL, now->voicing) && ends)
        harmony_nearest_of(now, 1, NULL, goal);
}

// The key moved so shortly before the section that its last chord may not lead where it was meant to.
static bool harmony_key_moved(const struct program *program, uint64_t frame)
{
    const struct mood_entry *now = mood_log_at(program->log, frame);
    for (const struct mood_entry *entry = now; entry->at_frame + LANDING_FRAMES > frame; entry--) {
        if (entry == program->log->entries)
            return false;
        if (!passage_same_key(&entry[-1].mood, &now->mood))
            return true;
    }
    return false;
}

static struct harmony harmony_first(const struct program *program, struct section section, int depth);

// Goes on from the section before when the chord that was agreed on cannot be led to. `now` stands at that chord.
static void harmony_join(const struct program *program, struct harmony *now, int depth)
{
    struct harmony before = harmony_first(program, section_at(program->seed, now->passage.onset - 1), depth);
    while (before.passage.until < before.passage.section.to) {
        passage_advance(program, &before.passage);
        harmony_step(program, &before);
    }
    if (voicing_leads(before.voicing, now->voicing))
        return;
    before.passage = now->passage;
    before.mood = now->mood;
    if (harmony_nearest(&before, NULL, before.voicing))
        *now = before;
}

// The first chord of a section. When the key has just moved the section before is looked at; `depth` bounds how many
// sections back that goes.
static struct harmony harmony_first(const struct program *program, struct section section, int depth)
{
    struct harmony now = {.passage = passage_first(program, section),
                          .mood = mood_log_mood(program->log, section.from)};
    now.chord = harmony_agreed(program->seed, section.index, &now.mood);
    now.voicing = voicing_home(now.chord);
    if (depth > 0 && section.from > 0 && harmony_key_moved(program, section.from))
        harmony_join(program, &now, depth - 1);
    return now;
}

// How badly a tone of the scale rubs against the chord: semitone neighbours first, then the order of preference.
//   steps: above the root, 1..6
static int harmony_extension_cost(const struct harmony *now, int steps)
{
    static const int preference[HARMONY_DEGREES - 1] = {0, 8, 3, 7, 2, 1};
    int tone = (now->chord.root + harmony_above(now->mood.mode, now->chord.degree, steps)) % 12;
    unsigned tones = now->chord.tones;
    if (tones >> tone & 1)
        return 100;
    bool rubs = (tones >> (tone + 1) % 12 & 1) || (tones >> (tone + 11) % 12 & 1);
    return preference[steps - 1] + (rubs ? 20 : 0);
}

// The pitch of a tone above the tenor that is freest of the voices that are there.
static uint8_t harmony_extension_pitch(const struct harmony *now, int tone, int taken)
{
    int best = 0, best_cost = 1 << 10;
    for (int pitch = 62; pitch <= 79; pitch++) {
        if (pitch % 12 != tone)
            continue;
        int cost = abs(pitch - 72);
        for (int i = 0; i < VOICING_VOICES; i++)
            cost += abs(pitch - now->voicing.pitch[i]) < 2 ? 50 : 0;
        cost += abs(pitch - taken) < 2 ? 50 : 0;
        if (cost < best_cost) {
            best_cost = cost;
            best = pitch;
        }
    }
    return (uint8_t)best;
}

static void harmony_extend(struct harmony *now)
{
    int used = 0;
    for (int i = 0; i < HARMONY_EXTENSIONS; i++) {
        int best = used == 1 ? 2 : 1;
        for (int steps = 1; steps < HARMONY_DEGREES; steps++)
            if (steps != used && harmony_extension_cost(now, steps) < harmony_extension_cost(now, best))
                best = steps;
        int tone = (now->chord.root + harmony_above(now->mood.mode, now->chord.degree, best)) % 12;
        now->extensions[i] = harmony_extension_pitch(now, tone, i == 0 ? 0 : now->extensions[0]);
        used = best;
    }
}

void harmony_seek(const struct program *program, uint64_t frame, struct harmony *now)
{
    struct section section = section_at(program->seed, frame);
    if (now->passage.until == 0 || now->passage.section.index != section.index || now->passage.onset > frame)
        *now = harmony_first(program, section, START_DEPTH);
    while (now->passage.until <= frame) {
        passage_advance(program, &now->passage);
        harmony_step(program, now);
    }
    harmony_extend(now);
}
