#include "tools/score_midi.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/frames.h"
#include "tools/midi_file.h"

enum {
    CONDUCTOR, FIRST_LAYER, TRACKS = FIRST_LAYER + LAYER_COUNT,
    CHANNELS_MAX = 16, DRUM_CHANNEL = 9,
    BEND_SEMITONE = 4096,    // General MIDI's range is two semitones
    VOLUME_STEP = 3,         // about half a decibel: less is not told
};

#define TICK_BEATS (MOOD_LOG_BEAT / SCORE_MIDI_QUARTER_TICKS)
#define UNKNOWN UINT64_MAX

// What comes near in General MIDI. Source: MIDI Manufacturers Association, General MIDI System Level 1.
static const struct {
    uint8_t program;         // 1 .. 128, as they are numbered there; 0: a drum
    uint8_t drum;            // its key
    bool noise;              // its pitch is a colour: not bent
} instruments[] = {
    [INSTRUMENT_PAD] = {.program = 90},                     // Pad 2 (warm)
    [INSTRUMENT_BELL] = {.program = 99},                    // FX 3 (crystal)
    [INSTRUMENT_KICK] = {.drum = 36},                       // Bass Drum 1
    [INSTRUMENT_SWELL] = {.program = 123, .noise = true},   // Seashore
    [INSTRUMENT_BAR] = {.program = 13},                     // Marimba
    [INSTRUMENT_BOWL] = {.program = 15},                    // Tubular Bells
    [INSTRUMENT_CHOIR] = {.program = 53},                   // Choir Aahs
    [INSTRUMENT_DRONE] = {.program = 52},                   // SynthStrings 2
    [INSTRUMENT_PLUCK] = {.program = 47},                   // Orchestral Harp
    [INSTRUMENT_MODULAR] = {.program = 82},                 // Lead 2 (sawtooth)
    [INSTRUMENT_RAIN] = {.program = 97, .noise = true},     // FX 1 (rain)
    [INSTRUMENT_WIND] = {.program = 122, .noise = true},    // Breath Noise
    [INSTRUMENT_SEA] = {.program = 123, .noise = true},     // Seashore
    [INSTRUMENT_VINYL] = {.program = 122, .noise = true},   // Breath Noise
    [INSTRUMENT_GRAIN] = {.program = 100},                  // FX 4 (atmosphere)
};
_Static_assert(sizeof instruments / sizeof *instruments == INSTRUMENT_COUNT, "each instrument has its row");

// Which channels a layer has: a bit each.
static const uint16_t layer_channels[LAYER_COUNT] = {
    [LAYER_PAD] = 0x001f, [LAYER_LEAD] = 0x01e0, [LAYER_KICK] = 1 << DRUM_CHANNEL, [LAYER_SWELL] = 0x0400,
    [LAYER_LOOP] = 0x1800, [LAYER_DRONE] = 0x2000, [LAYER_TEXTURE] = 0xc000,
};

// How a channel stands. All zero: as General MIDI begins.
struct channel {
    int program;             // 0: not said yet
    int bend;                // 0: none
    float pan;
    int notes;               // that sound
};

// A note that has begun; it is written when its end is known.
struct sounding {
    uint64_t id, on_frame, off_frame;
    uint8_t layer, channel, key, velocity;
};

struct score_midi {
    const struct program *program;
    struct midi_file *file;
    uint64_t first_frame, end_frame;
    struct channel channels[CHANNELS_MAX];
    struct sounding notes[COMPOSE_MAX_EVENTS];
    int count;
    int volumes[LAYER_COUNT];
    bool has_key;
    struct mood key;         // the mood whose key was told last
};

static uint64_t score_midi_tick(const struct score_midi *score, uint64_t frame)
{
    uint64_t from = mood_log_beats(score->program->log, score->first_frame);
    return (mood_log_beats(score->program->log, frame) - from + TICK_BEATS / 2) / TICK_BEATS;
}

static int score_midi_data(double value, int least)
{
    long rounded = lround(value);
    return rounded < least ? least : rounded > 127 ? 127 : (int)rounded;
}

// Sharps of the mode's signature, flats negative, as near to none as the spelling allows.
static int score_midi_sharps(const struct mood *mood)
{
    static const int letters[] = {3, 5, 0, 2, 4, -1, 1}, modes[] = {0, -2, -4, 1, -1, -3, -5};
    int sharps = letters[mood->key.letter] + 7 * mood->key.accidental + modes[mood->mode];
    return sharps > 7 ? sharps - 12 : sharps < -7 ? sharps + 12 : sharps;
}

// The score takes a key up with a chord.
static void score_midi_key(struct score_midi *score, uint64_t frame, uint64_t at_tick)
{
    struct mood mood = mood_log_at(score->program->log, frame)->mood;
    int sharps = score_midi_sharps(&mood);
    bool minor = !mode_is_major(mood.mode);
    if (score->has_key && sharps == score_midi_sharps(&score->key) && minor == !mode_is_major(score->key.mode))
        return;
    midi_file_key(score->file, CONDUCTOR, at_tick, sharps, minor);
    score->has_key = true;
    score->key = mood;
}

static void score_midi_chord(struct score_midi *score, const struct event *event, uint64_t at_tick)
{
    char name[CHORD_NAME_BYTES];
    score_midi_key(score, event->at_frame, at_tick);
    midi_file_text(score->file, CONDUCTOR, at_tick, MIDI_TEXT,
                   chord_name(event->chord.chord, event->chord.flats, name));
}

static void score_midi_tempos(struct score_midi *score)
{
    const struct mood_log *log = score->program->log;
    const struct mood_entry *entry = mood_log_at(log, score->first_frame), *end = log->entries + log->count;
    int told = 0;
    for (; entry < end && entry->at_frame < score->end_frame; entry++) {
        bool in_force = entry + 1 == end || entry[1].at_frame > entry->at_frame;
        uint64_t frame = entry->at_frame > score->first_frame ? entry->at_frame : score->first_frame;
        if (!in_force || entry->mood.bpm == told)
            continue;
        told = entry->mood.bpm;
        midi_file_tempo(score->file, CONDUCTOR, score_midi_tick(score, frame), told);
    }
}

// Source of the square root: the volume of General MIDI System Level 2, 40 log10(value / 127) dB.
static void score_midi_mix(struct score_midi *score, const struct mix *mix, uint64_t at_tick)
{
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        int volume = score_midi_data(127.0 * sqrt((double)mix->gain[layer]), 0), told = score->volumes[layer];
        if (volume == told || (volume > 0 && told > 0 && abs(volume - told) < VOLUME_STEP))
            continue;
        score->volumes[layer] = volume;
        for (int channel = 0; channel < CHANNELS_MAX; channel++)
            if (layer_channels[layer] >> channel & 1)
                midi_file_message(score->file, FIRST_LAYER + layer, at_tick, MIDI_CONTROLLER, channel, MIDI_VOLUME,
                                  volume);
    }
}

static bool score_midi_sounds(const struct score_midi *score, int channel, int key)
{
    for (int i = 0; i < score->count; i++)
        if (score->notes[i].channel == channel && score->notes[i].key == key)
            return true;
    return false;
}

// How little a channel suits a note: away from its place; best free, else with its instrument, never with its key.
static double score_midi_cost(const struct score_midi *score, int channel, const struct note *note, int key, int bend)
{
    const struct channel *at = &score->channels[channel];
    bool same = at->program == instruments[note->instrument].program && at->bend == bend;
    double cost = fabs((double)at->pan - (double)note->pan);
    if (at->notes == 0)
        return cost + (same ? 0 : .5);
    return cost + 10 + (same ? 0 : 100) + (score_midi_sounds(score, channel, key) ? 1000 : 0);
}

static int score_midi_channel(const struct score_midi *score, const struct note *note, int key, int bend)
{
    int best = -1;
    double least = INFINITY;
    for (int channel = 0; channel < CHANNELS_MAX; channel++) {
        if (!(layer_channels[note->layer] >> channel & 1))
            continue;
        double cost = score_midi_cost(score, channel, note, key, bend);
        if (cost < least) {
            least = cost;
            best = channel;
        }
    }
    check(best >= 0);
    return best;
}

// Says what is new about a channel on which nothing sounds.
static void score_midi_prepare(struct score_midi *score, int index, const struct note *note, int bend, uint64_t at_tick)
{
    struct channel *channel = &score->channels[index];
    int track = FIRST_LAYER + note->layer, program = instruments[note->instrument].program;
    int pan = score_midi_data(64.0 + 63.0 * (double)note->pan, 1);
    if (program != channel->program)
        midi_file_message(score->file, track, at_tick, MIDI_PROGRAM, index, program - 1, 0);
    if (pan != score_midi_data(64.0 + 63.0 * (double)channel->pan, 1))
        midi_file_message(score->file, track, at_tick, MIDI_CONTROLLER, index, MIDI_PAN, pan);
    if (bend != channel->bend)
        midi_file_message(score->file, track, at_tick, MIDI_PITCH_BEND, index, (bend + 8192) & 0x7f,
                          (bend + 8192) >> 7);
    channel->program = program;
    channel->pan = note->pan;
    channel->bend = bend;
}

// Writes a note whose end is known, unless it ended before the stretch began.
static void score_midi_end(struct score_midi *score, int index, uint64_t off_frame)
{
    struct sounding note = score->notes[index];
    score->notes[index] = score->notes[--score->count];
    score->channels[note.channel].notes--;
    if (off_frame <= score->first_frame)
        return;
    uint64_t on = score_midi_tick(score, note.on_frame);
    uint64_t off = score_midi_tick(score, off_frame < score->end_frame ? off_frame : score->end_frame);
    off = off > on ? off : on + 1;
    int track = FIRST_LAYER + note.layer;
    midi_file_message(score->file, track, on, MIDI_NOTE_ON, note.channel, note.key, note.velocity);
    midi_file_message(score->file, track, off, MIDI_NOTE_OFF, note.channel, note.key, 64);
}

static void score_midi_end_until(struct score_midi *score, uint64_t frame)
{
    for (int i = score->count - 1; i >= 0; i--)
        if (score->notes[i].off_frame <= frame)
            score_midi_end(score, i, score->notes[i].off_frame);
}

static void score_midi_note_off(struct score_midi *score, const struct event *event)
{
    for (int i = 0; i < score->count; i++) {
        if (score->notes[i].id == event->off.id) {
            score_midi_end(score, i, event->at_frame);
            return;
        }
    }
}

static void score_midi_note_on(struct score_midi *score, const struct note *note, uint64_t at_frame, uint64_t on_frame)
{
    score_midi_end_until(score, on_frame);
    check(score->count < COMPOSE_MAX_EVENTS);
    bool drum = instruments[note->instrument].program == 0;
    int key = drum ? instruments[note->instrument].drum : score_midi_data((double)note->pitch, 0);
    bool bends = !drum && !instruments[note->instrument].noise;
    int bend = bends ? (int)lround(((double)note->pitch - key) * BEND_SEMITONE) : 0;
    int channel = drum ? DRUM_CHANNEL : score_midi_channel(score, note, key, bend);
    if (!drum && score->channels[channel].notes == 0)
        score_midi_prepare(score, channel, note, bend, score_midi_tick(score, on_frame));
    score->channels[channel].notes++;
    score->notes[score->count++] = (struct sounding){
        .id = note->id, .on_frame = on_frame, .off_frame = note->hold_frames ? at_frame + note->hold_frames : UNKNOWN,
        .layer = note->layer, .channel = (uint8_t)channel, .key = (uint8_t)key,
        .velocity = (uint8_t)score_midi_data(127.0 * (double)note->velocity, 1)};
}

static void score_midi_event(struct score_midi *score, const struct event *event, bool began_before)
{
    uint64_t frame = began_before ? score->first_frame : event->at_frame, tick = score_midi_tick(score, frame);
    switch (event->kind) {
    case EVENT_MIX: score_midi_mix(score, &event->mix, tick); break;
    case EVENT_NOTE_OFF: score_midi_note_off(score, event); break;
    case EVENT_NOTE_ON: score_midi_note_on(score, &event->note, event->at_frame, frame); break;
    case EVENT_CHORD: score_midi_chord(score, event, tick); break;
    case EVENT_SECTION: midi_file_text(score->file, CONDUCTOR, tick, MIDI_MARKER, event->section.name); break;
    }
}

static void score_midi_begin(struct score_midi *score)
{
    midi_file_text(score->file, CONDUCTOR, 0, MIDI_TRACK_NAME, "Auralis");
    midi_file_meta(score->file, CONDUCTOR, 0, MIDI_TIME_SIGNATURE, (uint8_t[]){4, 2, 24, 8}, 4);  // 4/4
    score_midi_tempos(score);
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        midi_file_text(score->file, FIRST_LAYER + layer, 0, MIDI_TRACK_NAME, layer_name((enum layer)layer));
        score->volumes[layer] = -1;
    }
}

static void score_midi_compose(struct score_midi *score)
{
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t at = frames_round_up(score->first_frame, CONTROL_FRAMES);
    int count = compose_sounding(score->program, at, events);
    for (int i = 0; i < count; i++)
        score_midi_event(score, &events[i], true);
    for (uint64_t to; at < score->end_frame; at = to) {
        to = frames_round_up(score->end_frame, CONTROL_FRAMES);
        to = to < at + CHUNK_FRAMES ? to : at + CHUNK_FRAMES;
        count = compose_events(score->program, at, to, events);
        for (int i = 0; i < count; i++)
            if (events[i].at_frame < score->end_frame)
                score_midi_event(score, &events[i], false);
    }
    while (score->count > 0)
        score_midi_end(score, score->count - 1, score->notes[score->count - 1].off_frame);
}

enum status score_midi_bytes(const struct program *program, uint64_t first_frame, uint64_t end_frame, uint8_t **bytes,
                             size_t *len)
{
    check(first_frame < end_frame);
    struct score_midi score = {.program = program, .first_frame = first_frame, .end_frame = end_frame,
                               .file = midi_file_create(TRACKS, SCORE_MIDI_QUARTER_TICKS)};
    if (!score.file)
        return STATUS_MEMORY;
    score_midi_begin(&score);
    score_midi_compose(&score);
    enum status status = midi_file_bytes(score.file, score_midi_tick(&score, end_frame), bytes, len);
    midi_file_destroy(score.file);
    return status;
}
