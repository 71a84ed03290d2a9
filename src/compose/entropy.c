// How surprising the chord chain is. For meters and documents, never on the render path: it needs a logarithm.
#include <math.h>
#include <string.h>

#include "compose/compose.h"
#include "compose/harmony.h"

static double entropy_bits(const double row[HARMONY_DEGREES * HARMONY_COLOURS])
{
    double bits = 0.0;
    for (int i = 0; i < HARMONY_DEGREES * HARMONY_COLOURS; i++)
        bits -= row[i] > 0.0 ? row[i] * log2(row[i]) : 0.0;
    return bits;
}

double compose_chord_entropy(const struct mood *mood)
{
    enum { SETTLED = 200 };
    double rows[HARMONY_DEGREES][HARMONY_DEGREES * HARMONY_COLOURS];
    double visits[HARMONY_DEGREES] = {1.0};
    for (int degree = 0; degree < HARMONY_DEGREES; degree++)
        harmony_row(mood, degree, rows[degree]);
    for (int turn = 0; turn < SETTLED; turn++) {
        double next[HARMONY_DEGREES] = {0.0};
        for (int degree = 0; degree < HARMONY_DEGREES; degree++)
            for (int i = 0; i < HARMONY_DEGREES * HARMONY_COLOURS; i++)
                next[i / HARMONY_COLOURS] += visits[degree] * rows[degree][i];
        memcpy(visits, next, sizeof visits);
    }
    double bits = 0.0;
    for (int degree = 0; degree < HARMONY_DEGREES; degree++)
        bits += visits[degree] * entropy_bits(rows[degree]);
    return bits;
}
