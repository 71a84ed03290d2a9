// The quality card: every meter of the ear over the same material, in one pass. Interleaved stereo at 48 kHz.
#pragma once
#include <stddef.h>

#include "base/status.h"
#include "ear/click_finder.h"
#include "ear/signature.h"

// One double for each row of card.def; NAN where the material has no such thing: too short, silent, no reference.
struct card {
#define CARD(name, unit, digits, help) double name;
#include "ear/card.def"
#undef CARD
    struct signature signature;
};

struct card_row {
    const char *name, *unit;
    int digits;             // after the point, for people
    const char *help;
    size_t offset;          // of its double in struct card
};

extern const struct card_row card_rows[];
extern const int card_row_count;
// NULL when there is none of that name.
const struct card_row *card_row_find(const char *name);
double card_value(const struct card *card, const struct card_row *row);

struct card_meter;

// Some 15 MB, and about 5 MB for each hour of material. NULL when memory is short.
struct card_meter *card_meter_create(void);
// Accepts NULL.
void card_meter_destroy(struct card_meter *meter);
// How the material is cut makes no difference, not in the last bit.   Errors: STATUS_MEMORY.
MUST_USE enum status card_meter_add(struct card_meter *meter, const float *stereo, size_t frames);
// The same, with as many frames of what it should have been: see clicks_difference.
MUST_USE enum status card_meter_add_pair(struct card_meter *meter, const float *stereo, const float *reference,
                                         size_t frames);
// The end of the material; nothing may be added afterwards.   Errors: STATUS_MEMORY.
MUST_USE enum status card_meter_read(struct card_meter *meter, struct card *card);

// The clicks that card_meter_read counted, ascending; frames count from the beginning of the material. Valid until the
// meter is destroyed.
const struct click *card_meter_clicks(const struct card_meter *meter, size_t *count);

// How far two pieces are from one another, each part in units of what is clearly heard.
struct card_distance {
    double timbre_db;       // third-octaves, root of the mean square
    double chroma;          // 0 .. 1
    double character;       // of roughness, onsets, width, loudness range: root of the mean square, in steps
    double all;             // root of the sum of the squares: timbre by 6 dB, chroma by .5, character by 1
};

struct card_distance card_compare(const struct card *a, const struct card *b);
