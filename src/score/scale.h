// Modes of the diatonic scale and keys.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode {
    MODE_IONIAN, MODE_DORIAN, MODE_PHRYGIAN, MODE_LYDIAN, MODE_MIXOLYDIAN, MODE_AEOLIAN, MODE_LOCRIAN, MODE_COUNT
};

// "ionian" .. "locrian".
const char *mode_name(enum mode mode);
// Its third is a major third.
bool mode_is_major(enum mode mode);
// Semitones above the tonic of degree 0..6; degrees outside go on by octaves, negative ones downwards.
int mode_semitones(enum mode mode, int degree);

enum key_quality { KEY_BARE, KEY_MINOR, KEY_MAJOR };

// A tonic as it was spelt. KEY_BARE means minor.
struct key {
    uint8_t letter;       // 0 = A .. 6 = G
    int8_t accidental;    // -1 flat, 0, +1 sharp
    uint8_t quality;      // enum key_quality
};

enum { KEY_TEXT_BYTES = 12 };

// "A".."G", optional "#" or "b", optional " minor" or " major", any case. False when it is none; key is then untouched.
bool key_from_text(const char *text, struct key *key);
// Writes "C# minor"; bytes holds KEY_TEXT_BYTES. Returns bytes.
const char *key_text(struct key key, char *bytes);
// Pitch class of the tonic, 0 = C .. 11 = B.
int key_tonic(struct key key);
