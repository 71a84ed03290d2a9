// What composers say: notes that begin and end, how the mix moves, and what is going on.
#pragma once
#include <stdint.h>

#include "score/chord.h"
#include "score/scale.h"

enum layer { LAYER_PAD, LAYER_LEAD, LAYER_KICK, LAYER_SWELL, LAYER_LOOP, LAYER_DRONE, LAYER_TEXTURE, LAYER_COUNT };

// "pad", "lead", "kick", "swell", "loop", "drone", "texture".
const char *layer_name(enum layer layer);

// INSTRUMENT_PAD, INSTRUMENT_BELL ...: what a layer sounds with.
enum instrument {
#define INSTRUMENT(ID, name, lanes) INSTRUMENT_##ID,
#include "score/instruments.def"
#undef INSTRUMENT
    INSTRUMENT_COUNT
};

enum { INSTRUMENT_LANES_MAX = 64 };

// "pad", "bell" ...
const char *instrument_name(enum instrument instrument);
// Notes that can sound at once.
int instrument_lanes(enum instrument instrument);

// Ordered: at one frame, mix before ends before beginnings.
enum event_kind { EVENT_MIX, EVENT_NOTE_OFF, EVENT_NOTE_ON, EVENT_CHORD, EVENT_SECTION };

// A note that begins. What it is follows from seed, log and frame alone; so does its lane.
struct note {
    uint64_t id;            // unique in the programme: the same in every composing of it
    uint8_t layer;          // enum layer
    uint8_t instrument;     // enum instrument
    uint8_t lane;           // the voice that sounds it, 0 .. lanes of its instrument - 1
    float pitch;            // MIDI semitones, 69 = A4 = 440 Hz, fractions allowed
    float velocity;         // 0..1
    float pan;              // -1 left .. 1 right
    float brightness;       // 0..1
    float attack_s;         // >= .008
    float release_s;        // until it has gone, as an attack turned round
    uint32_t hold_frames;   // percussion and melody: ends by itself after this; 0: until EVENT_NOTE_OFF
};

// What every voice is told to move towards; ramped by the synthesiser, never jumped.
struct mix {
    float gain[LAYER_COUNT];  // 0..1; a layer that is switched off goes to 0 and back over >= 500 ms
    float brightness;         // 0..1
    float motion;             // 0..1, how much filters and detuning move
    float space;              // 0..1, reverb
    float warmth;             // 0..1, lows against highs; .5 is neutral
    float shimmer;            // 0..1, how much of the reverb comes back an octave higher
    float chorus;             // 0..1
    float echo;               // 0..1
    float freeze;             // 0..1: at 1 the room holds what is in it and takes nothing in, from 8 s after a start on
    float loudness;           // LUFS that the whole is brought to, -30 .. -14
};

struct event {
    uint64_t at_frame;      // multiple of 64
    enum event_kind kind;
    union {
        struct note note;       // EVENT_NOTE_ON
        struct {
            uint64_t id;
            uint8_t instrument, lane;
            float release_s;    // <= 0: the note's own
        } off;                  // EVENT_NOTE_OFF
        struct mix mix;
        struct {
            struct chord chord;
            uint64_t until_frame;  // as planned; a change of key may end it earlier
            uint8_t flats;         // spell it with flats
        } chord;
        struct {
            uint32_t index;        // sections since frame 0
            uint64_t until_frame;
            char name[24];         // "Drifting"
        } section;
    };
};
