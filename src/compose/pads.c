// Pads: each chord as four led voices and up to two extensions. `harmonic_density` decides how many of them sound, also
// while the chord lasts: a voice begins when the density reaches its threshold and ends when it falls below, each time.
#include "base/random.h"
#include "compose/ensemble.h"
#include "compose/harmony.h"
#include "compose/layers.h"
#include "compose/purpose.h"

enum {
    PAD_VOICES = VOICING_VOICES + HARMONY_EXTENSIONS,
    PAD_GROUPS = 4,
    PAD_GROUP_LANES = 8,                // one for each voice, and two to spare
    PAD_FREE_AFTER = 8 * FRAME_RATE,    // what a lane has played is over so long after its end
    PAD_MOST_SPANS = PAD_GROUP_LANES * (PASSAGE_LONGEST / PAD_FREE_AFTER + 1),
};

static const struct {
    double threshold, velocity, pan;
} pad_voices[PAD_VOICES] = {
    {.0, .72, .0}, {.0, .55, -.35}, {.2, .5, .35}, {.0, .52, -.12}, {.55, .38, .55}, {.8, .34, -.6},
};

// A note of a voice.
struct pad_span {
    int voice, lane;    // lane: of the chord's group
    uint64_t on, off;
};

// The notes of a chord.
struct pad_spans {
    struct pad_span list[PAD_MOST_SPANS];
    int count;
    struct pad_span open[PAD_VOICES];    // of voices that sound: what has not ended yet
    bool sounds[PAD_VOICES];
    uint64_t free_at[PAD_GROUP_LANES];
};

// Takes the voice's own lane or a spare one, whichever is free first, and waits until it is.
static void pad_begin(struct pad_spans *spans, int voice, uint64_t at_frame)
{
    int lane = voice;
    for (int spare = PAD_VOICES; spare < PAD_GROUP_LANES; spare++)
        if (spans->free_at[spare] < spans->free_at[lane])
            lane = spare;
    uint64_t on = spans->free_at[lane] > at_frame ? spans->free_at[lane] : at_frame;
    spans->open[voice] = (struct pad_span){.voice = voice, .lane = lane, .on = on};
    spans->free_at[lane] = UINT64_MAX;
}

static void pad_end(struct pad_spans *spans, int voice, uint64_t at_frame)
{
    struct pad_span *span = &spans->open[voice];
    bool begun = span->on < at_frame;
    spans->free_at[span->lane] = begun ? at_frame + PAD_FREE_AFTER : span->on;
    span->off = at_frame;
    if (begun)
        spans->list[spans->count++] = *span;
}

static void pad_move(struct pad_spans *spans, double density, uint64_t at_frame)
{
    for (int voice = 0; voice < PAD_VOICES; voice++) {
        bool sounds = density >= pad_voices[voice].threshold;
        if (sounds && !spans->sounds[voice])
            pad_begin(spans, voice, at_frame);
        if (!sounds && spans->sounds[voice])
            pad_end(spans, voice, at_frame);
        spans->sounds[voice] = sounds;
    }
}

static struct pad_spans pad_spans_of(const struct program *program, const struct passage *passage)
{
    struct pad_spans spans = {.count = 0};
    const struct mood_entry *entry = mood_log_at(program->log, passage->onset);
    pad_move(&spans, entry->mood.harmonic_density, passage->onset);
    while ((entry = mood_log_next(program->log, entry)) && entry->at_frame < passage->until)
        pad_move(&spans, entry->mood.harmonic_density, entry->at_frame);
    for (int voice = 0; voice < PAD_VOICES; voice++)
        if (spans.sounds[voice])
            pad_end(&spans, voice, passage->until);
    return spans;
}

// A group of lanes is used again three chords later, or two when a section begins in between: at least 8 s after its
// notes ended.
static uint8_t pad_lane(const struct passage *passage, int lane)
{
    int group = passage->ordinal == 0 ? PAD_GROUPS - 1 : (passage->ordinal - 1) % (PAD_GROUPS - 1);
    return (uint8_t)(group * PAD_GROUP_LANES + lane);
}

// One for all voices of a chord.
static enum instrument pad_instrument(const struct program *program, const struct passage *passage)
{
    uint64_t chord = (uint64_t)passage->section.index << 8 | (uint64_t)passage->ordinal;
    return ensemble_instrument(program, passage->onset, LAYER_PAD, chord);
}

static void pad_add_on(const struct program *program, const struct harmony *harmony, const struct pad_span *span,
                       struct events *events)
{
    const struct palette *palette = harmony->passage.section.palette;
    double intensity = mood_log_mood(program->log, span->on).intensity;
    uint8_t lane = pad_lane(&harmony->passage, span->lane);
    enum instrument instrument = pad_instrument(program, &harmony->passage);
    uint64_t id = note_id(span->on, instrument, lane);
    double chance = random_unit(program->seed, PURPOSE_PAD, 2 * id);
    double sway = random_unit(program->seed, PURPOSE_PAD, 2 * id + 1);
    double attack = span->on == harmony->passage.onset ? palette->attack_s * (0.6 + 0.8 * chance) : 0.8 + chance;
    int voice = span->voice;
    int pitch = voice < VOICING_VOICES ? harmony->voicing.pitch[voice] : harmony->extensions[voice - VOICING_VOICES];
    struct note note = {
        .id = id,
        .layer = LAYER_PAD,
        .instrument = (uint8_t)instrument,
        .lane = lane,
        .pitch = (float)pitch,
        .velocity = (float)(pad_voices[voice].velocity * (0.8 + 0.25 * intensity + 0.15 * sway)),
        .pan = (float)(pad_voices[voice].pan + (voice == 0 ? 0.0 : 0.3 * (sway - 0.5))),
        .brightness = (float)(0.2 + 0.5 * intensity + 0.2 * chance),
        .attack_s = (float)attack,
        .release_s = (float)(2.5 + palette->attack_s + 0.4 * chance),
    };
    events_add_note(events, span->on, &note);
}

static void pad_add_off(const struct program *program, const struct passage *passage, const struct pad_span *span,
                        struct events *events)
{
    uint8_t lane = pad_lane(passage, span->lane);
    enum instrument instrument = pad_instrument(program, passage);
    struct event event = {
        .at_frame = span->off,
        .kind = EVENT_NOTE_OFF,
        .off = {.id = note_id(span->on, instrument, lane), .instrument = (uint8_t)instrument, .lane = lane},
    };
    events_add(events, &event);
}

// Flats when the key is spelt with one, or when its signature has them.
static uint8_t pads_flats(const struct mood *mood)
{
    if (mood->key.accidental != 0)
        return mood->key.accidental < 0;
    int relative = (key_tonic(mood->key) + 12 - mode_semitones(MODE_IONIAN, (int)mood->mode)) % 12;
    return relative == 5 || relative == 10 || relative == 3 || relative == 8 || relative == 1;
}

static void pads_add_chord(const struct program *program, const struct harmony *harmony, struct events *events)
{
    struct event event = {
        .at_frame = harmony->passage.onset,
        .kind = EVENT_CHORD,
        .chord = {harmony->chord, passage_planned_end(program, &harmony->passage), pads_flats(&harmony->mood)},
    };
    events_add(events, &event);
}

// The harmony is walked only when something begins.
static void pads_compose_chord(const struct program *program, const struct passage *passage, struct events *events)
{
    struct pad_spans spans = pad_spans_of(program, passage);
    bool begins = passage->onset >= events->from;
    for (int i = 0; i < spans.count; i++) {
        begins = begins || spans.list[i].on >= events->from;
        pad_add_off(program, passage, &spans.list[i], events);
    }
    if (!begins)
        return;
    harmony_seek(program, passage->onset, &events->harmony);
    const struct harmony *harmony = &events->harmony;
    pads_add_chord(program, harmony, events);
    for (int i = 0; i < spans.count; i++)
        pad_add_on(program, harmony, &spans.list[i], events);
}

void pads_compose(const struct program *program, struct events *events)
{
    struct passage passage = passage_at(program, events->from > 0 ? events->from - 1 : 0);
    for (;;) {
        pads_compose_chord(program, &passage, events);
        if (passage.until >= events->to)
            break;
        if (passage.until < passage.section.to)
            passage_advance(program, &passage);
        else
            passage = passage_first(program, section_at(program->seed, passage.until));
    }
}

void pads_sounding(const struct program *program, uint64_t frame, struct events *events)
{
    harmony_seek(program, frame - 1, &events->harmony);
    const struct harmony *harmony = &events->harmony;
    struct pad_spans spans = pad_spans_of(program, &harmony->passage);
    for (int i = 0; i < spans.count; i++)
        if (spans.list[i].on < frame && spans.list[i].off >= frame)
            pad_add_on(program, harmony, &spans.list[i], events);
    pads_add_chord(program, harmony, events);
}
