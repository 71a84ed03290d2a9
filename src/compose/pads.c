// Pads: each chord as four led voices and up to two extensions. `harmonic_density` decides how many of them sound, also
// while the chord lasts: a voice begins when the density first reaches its threshold and ends when it falls below.
#include "base/random.h"
#include "compose/ensemble.h"
#include "compose/harmony.h"
#include "compose/layers.h"
#include "compose/purpose.h"

enum { PAD_VOICES = VOICING_VOICES + HARMONY_EXTENSIONS, PAD_GROUPS = 4, PAD_GROUP_LANES = 8 };

static const struct {
    double threshold, velocity, pan;
} pad_voices[PAD_VOICES] = {
    {.0, .72, .0}, {.0, .55, -.35}, {.2, .5, .35}, {.0, .52, -.12}, {.55, .38, .55}, {.8, .34, -.6},
};

struct pad_span {
    uint64_t on, off;    // no note when on == off
};

static bool pad_sounds(const struct mood_entry *entry, int voice)
{
    return entry->mood.harmonic_density >= pad_voices[voice].threshold;
}

static struct pad_span pad_span_of(const struct program *program, const struct passage *passage, int voice)
{
    const struct mood_entry *entry = mood_log_at(program->log, passage->onset);
    const struct mood_entry *end = program->log->entries + program->log->count;
    struct pad_span span = {pad_sounds(entry, voice) ? passage->onset : passage->until, passage->until};
    for (entry++; entry < end && entry->at_frame < passage->until; entry++) {
        if (!(entry->changed & 1u << MOOD_ID_harmonic_density))
            continue;
        bool sounds = pad_sounds(entry, voice);
        if (sounds && span.on == passage->until)
            span.on = entry->at_frame;
        if (!sounds && span.on < passage->until) {
            span.off = entry->at_frame;
            break;
        }
    }
    return span;
}

// A lane is used again three chords later, or two when a section begins in between: at least 8 s after its note ended.
static uint8_t pad_lane(const struct passage *passage, int voice)
{
    int group = passage->ordinal == 0 ? PAD_GROUPS - 1 : (passage->ordinal - 1) % (PAD_GROUPS - 1);
    return (uint8_t)(group * PAD_GROUP_LANES + voice);
}

// One for all voices of a chord.
static enum instrument pad_instrument(const struct program *program, const struct passage *passage)
{
    uint64_t chord = (uint64_t)passage->section.index << 8 | (uint64_t)passage->ordinal;
    return ensemble_instrument(program, passage->onset, LAYER_PAD, chord);
}

static void pad_add_on(const struct program *program, const struct harmony *harmony, int voice, uint64_t at_frame,
                       struct events *events)
{
    const struct palette *palette = harmony->passage.section.palette;
    double intensity = mood_log_mood(program->log, at_frame).intensity;
    uint8_t lane = pad_lane(&harmony->passage, voice);
    enum instrument instrument = pad_instrument(program, &harmony->passage);
    uint64_t id = note_id(at_frame, instrument, lane);
    double chance = random_unit(program->seed, PURPOSE_PAD, 2 * id);
    double sway = random_unit(program->seed, PURPOSE_PAD, 2 * id + 1);
    double attack = at_frame == harmony->passage.onset ? palette->attack_s * (0.6 + 0.8 * chance) : 0.8 + chance;
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
    events_add_note(events, at_frame, &note);
}

static void pad_add_off(const struct program *program, const struct passage *passage, int voice, struct pad_span span,
                        struct events *events)
{
    uint8_t lane = pad_lane(passage, voice);
    enum instrument instrument = pad_instrument(program, passage);
    struct event event = {
        .at_frame = span.off,
        .kind = EVENT_NOTE_OFF,
        .off = {.id = note_id(span.on, instrument, lane), .instrument = (uint8_t)instrument, .lane = lane},
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
    struct pad_span spans[PAD_VOICES];
    bool begins = passage->onset >= events->from;
    for (int voice = 0; voice < PAD_VOICES; voice++) {
        spans[voice] = pad_span_of(program, passage, voice);
        begins = begins || (spans[voice].on >= events->from && spans[voice].on < spans[voice].off);
        if (spans[voice].on < spans[voice].off)
            pad_add_off(program, passage, voice, spans[voice], events);
    }
    if (!begins)
        return;
    harmony_seek(program, passage->onset, &events->harmony);
    const struct harmony *harmony = &events->harmony;
    pads_add_chord(program, harmony, events);
    for (int voice = 0; voice < PAD_VOICES; voice++)
        if (spans[voice].on < spans[voice].off)
            pad_add_on(program, harmony, voice, spans[voice].on, events);
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
    for (int voice = 0; voice < PAD_VOICES; voice++) {
        struct pad_span span = pad_span_of(program, &harmony->passage, voice);
        if (span.on < frame && span.off >= frame)
            pad_add_on(program, harmony, voice, span.on, events);
    }
    pads_add_chord(program, harmony, events);
}
