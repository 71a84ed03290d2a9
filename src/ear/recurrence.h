// Whether the music comes back to where it was: ten seconds held against all that lie a minute away or further.
#pragma once
#include "ear/signature.h"
#include "ear/series.h"

enum { RECURRENCE_PIECE_WINDOWS = 59 };     // a piece: 5 s of SPECTRUM_HOP

// All zero is the beginning.
struct recurrence_meter {
    struct signature piece;
    int filled;                 // windows in it
    struct series pieces;       // SIGNATURE_COUNT sums of each piece
};

struct recurrence {
    double similarity;          // cosine, -1 .. 1; NAN for less than 80 s and for what never changes
    double lag_s;
};

// One window of SPECTRUM_HOP.   bands: power of its third-octaves.
void recurrence_add(struct recurrence_meter *meter, const struct partials *partials, const double *bands);
// Two pieces side by side make a window; of each feature its mean over the material is taken out and its deviation
// brought to one, chroma and timbre count alike, and the most similar pair is told. NAN when memory is short.
struct recurrence recurrence_read(const struct recurrence_meter *meter);
void recurrence_finish(struct recurrence_meter *meter);
