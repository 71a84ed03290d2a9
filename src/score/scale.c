#include "score/scale.h"

#include <strings.h>

#include "base/text.h"

static const int mode_scales[MODE_COUNT][7] = {
    {0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 9, 10}, {0, 1, 3, 5, 7, 8, 10}, {0, 2, 4, 6, 7, 9, 11},
    {0, 2, 4, 5, 7, 9, 10}, {0, 2, 3, 5, 7, 8, 10}, {0, 1, 3, 5, 6, 8, 10},
};

static const char *const mode_names[MODE_COUNT] = {"ionian",     "dorian",  "phrygian", "lydian",
                                                   "mixolydian", "aeolian", "locrian"};

const char *mode_name(enum mode mode)
{
    return mode_names[mode];
}

bool mode_is_major(enum mode mode)
{
    return mode_scales[mode][2] == 4;
}

int mode_semitones(enum mode mode, int degree)
{
    int octave = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
    return mode_scales[mode][degree - 7 * octave] + 12 * octave;
}

// Reads the part after the tonic. False when it is neither empty nor a quality.
static bool key_quality_from_text(const char *text, uint8_t *quality)
{
    if (*text == '\0')
        *quality = KEY_BARE;
    else if (strcasecmp(text, " minor") == 0)
        *quality = KEY_MINOR;
    else if (strcasecmp(text, " major") == 0)
        *quality = KEY_MAJOR;
    else
        return false;
    return true;
}

bool key_from_text(const char *text, struct key *key)
{
    struct key read = {0};
    if (*text >= 'a' && *text <= 'g')
        read.letter = (uint8_t)(*text - 'a');
    else if (*text >= 'A' && *text <= 'G')
        read.letter = (uint8_t)(*text - 'A');
    else
        return false;
    text++;
    if (*text == '#')
        read.accidental = 1;
    else if (*text == 'b' || *text == 'B')
        read.accidental = -1;
    text += read.accidental != 0;
    if (!key_quality_from_text(text, &read.quality))
        return false;
    *key = read;
    return true;
}

const char *key_text(struct key key, char *bytes)
{
    static const char *const accidentals[] = {"b", "", "#"};
    static const char *const qualities[] = {"", " minor", " major"};
    struct text text = text_on(bytes, KEY_TEXT_BYTES);
    text_append(&text, &"ABCDEFG"[key.letter], 1);
    text_add(&text, accidentals[key.accidental + 1]);
    text_add(&text, qualities[key.quality]);
    return bytes;
}

int key_tonic(struct key key)
{
    static const int letters[] = {9, 11, 0, 2, 4, 5, 7};
    return (letters[key.letter] + key.accidental + 12) % 12;
}
