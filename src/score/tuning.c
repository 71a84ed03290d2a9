#include "score/tuning.h"

#include <math.h>

// Just: 16/15 9/8 6/5 5/4 4/3 45/32 3/2 8/5 5/3 9/5 15/8. Pythagorean: fifths of 3/2, five down and six up.
const struct tuning tunings[] = {
    [TUNING_EQUAL] = {.name = "equal", .title = "Equal temperament"},
    [TUNING_JUST] =
    {.name = "just", .title = "Just intonation, 5-limit",
     .offset_cents = {0, 11.731285269778, 3.910001730775, 15.641287000553, -13.686286135165, -1.955000865387,
                      -9.776284404390, 1.955000865387, 13.686286135165, -15.641287000553, 17.596287865940,
                      -11.731285269778}},
    [TUNING_PYTHAGOREAN] =
    {.name = "pythagorean", .title = "Pythagorean, fifths of 3/2",
     .offset_cents = {0, -9.775004326937, 3.910001730775, -5.865002596162, 7.820003461550, -1.955000865387,
                      11.730005192325, 1.955000865387, -7.820003461550, 5.865002596162, -3.910001730775,
                      9.775004326937}},
    [TUNING_SCALA] = {.name = "scala", .title = "A scale of one's own"},
};
const int tuning_count = sizeof tunings / sizeof tunings[0];

double tuning_pitch(const struct tuning *tuning, int tonic, double midi)
{
    int above = (int)fmod(floor(midi + 0.5) - tonic, TUNING_CLASSES);
    return midi + tuning->offset_cents[above < 0 ? above + TUNING_CLASSES : above] / 100.0;
}
