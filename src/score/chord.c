#include "score/chord.h"

#include "base/text.h"

static const struct {
    const char *suffix;
    uint16_t tones;   // bit n: n semitones above the root
} chord_kinds[CHORD_QUALITIES] = {
    [CHORD_MAJOR] = {"", 1 << 0 | 1 << 4 | 1 << 7},
    [CHORD_MINOR] = {"m", 1 << 0 | 1 << 3 | 1 << 7},
    [CHORD_SUS2] = {"sus2", 1 << 0 | 1 << 2 | 1 << 7},
    [CHORD_SUS4] = {"sus4", 1 << 0 | 1 << 5 | 1 << 7},
    [CHORD_MAJ7] = {"maj7", 1 << 0 | 1 << 4 | 1 << 7 | 1 << 11},
    [CHORD_MIN7] = {"m7", 1 << 0 | 1 << 3 | 1 << 7 | 1 << 10},
    [CHORD_DOM7] = {"7", 1 << 0 | 1 << 4 | 1 << 7 | 1 << 10},
    [CHORD_HALF_DIMINISHED] = {"m7b5", 1 << 0 | 1 << 3 | 1 << 6 | 1 << 10},
    [CHORD_ADD9] = {"add9", 1 << 0 | 1 << 2 | 1 << 4 | 1 << 7},
    [CHORD_MIN_ADD9] = {"madd9", 1 << 0 | 1 << 2 | 1 << 3 | 1 << 7},
};

uint16_t chord_tones(int root, enum chord_quality quality)
{
    unsigned tones = chord_kinds[quality].tones;
    return (uint16_t)((tones << root | tones >> (12 - root)) & 0xfff);
}

const char *chord_name(struct chord chord, int flats, char *bytes)
{
    static const char *const roots[2][12] = {
        {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"},
        {"C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"},
    };
    struct text text = text_on(bytes, CHORD_NAME_BYTES);
    text_add(&text, roots[flats != 0][chord.root]);
    text_add(&text, chord_kinds[chord.quality].suffix);
    return bytes;
}
