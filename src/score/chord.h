// Chords: a root on a degree of a mode, a quality, the pitch classes that sound.
#pragma once
#include <stdint.h>

enum chord_quality {
    CHORD_MAJOR, CHORD_MINOR, CHORD_SUS2, CHORD_SUS4, CHORD_MAJ7, CHORD_MIN7, CHORD_DOM7, CHORD_HALF_DIMINISHED,
    CHORD_ADD9, CHORD_MIN_ADD9, CHORD_QUALITIES
};

enum { CHORD_NAME_BYTES = 16 };

struct chord {
    uint8_t root;        // pitch class, 0 = C
    uint8_t degree;      // 0..6 on the mode in force
    uint8_t quality;     // enum chord_quality
    uint16_t tones;      // bit n: pitch class n sounds
};

// Pitch classes of a quality on a root, as bits.
uint16_t chord_tones(int root, enum chord_quality quality);
// "F#m7", spelt with sharps or with flats; bytes holds CHORD_NAME_BYTES. Returns bytes.
const char *chord_name(struct chord chord, int flats, char *bytes);
