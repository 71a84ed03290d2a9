#include "ear/gates.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "ear/clicks.h"

#define OPEN HUGE_VAL
#define LOUDNESS(lufs) {.name = "integrated", .unit = "LUFS", .low = (lufs) - 1, .high = (lufs) + 1}
#define TRUE_PEAK(most) {.name = "true_peak", .unit = "dBTP", .low = -OPEN, .high = (most)}
// What holds for all material.
#define COMMON                                                                                                         \
    {.name = "short_term_move", .unit = "LU", .low = 0, .high = 6},                                                    \
    {.name = "loudness_range", .unit = "LU", .low = 1, .high = 10},                                                    \
    {.name = "crest", .unit = "dB", .low = 10, .high = 18},                                                            \
    {.name = "dc", .unit = "dBFS", .low = -OPEN, .high = -60},                                                         \
    {.name = "nonfinite", .unit = "samples", .low = 0, .high = 0},                                                     \
    {.name = "denormals", .unit = "samples", .low = 0, .high = 0},                                                     \
    {.name = "clicks", .unit = "", .low = 0, .high = 0},                                                               \
    {.name = "reference_difference", .unit = "", .low = 0, .high = CLICKS_DIFFERENCE_LIMIT, .optional = true},         \
    {.name = "correlation", .unit = "", .low = .2, .high = .9},                                                        \
    {.name = "bass_correlation", .unit = "", .low = .95, .high = 1},                                                   \
    {.name = "fold_down_loss", .unit = "dB", .low = -OPEN, .high = 3},                                                 \
    {.name = "grid", .unit = "", .low = -OPEN, .high = .3}

// As rendered: a tenth of a decibel above the limiter's ceiling, for meters differ by that.
#define RENDERED_DBTP (-1.9)
#define DECODED_DBTP (-1)
#define DAY_LUFS (-18)
#define SLEEP_LUFS (-23)

static const struct gate render_gates[] = {LOUDNESS(DAY_LUFS), TRUE_PEAK(RENDERED_DBTP), COMMON};
static const struct gate decoded_gates[] = {LOUDNESS(DAY_LUFS), TRUE_PEAK(DECODED_DBTP), COMMON};
static const struct gate sleep_gates[] = {LOUDNESS(SLEEP_LUFS), TRUE_PEAK(RENDERED_DBTP), COMMON};
static const struct gate sleep_decoded_gates[] = {LOUDNESS(SLEEP_LUFS), TRUE_PEAK(DECODED_DBTP), COMMON};

#define PROFILE(name, line, gates) {(name), (line), gates, sizeof gates / sizeof *gates}
const struct gate_profile gate_profiles[] = {
    PROFILE("render", "as it is rendered, for the day", render_gates),
    PROFILE("decoded", "the same after a lossy codec", decoded_gates),
    PROFILE("sleep", "as it is rendered, for the night", sleep_gates),
    PROFILE("sleep-decoded", "the same after a lossy codec", sleep_decoded_gates),
};
const int gate_profile_count = sizeof gate_profiles / sizeof *gate_profiles;

const struct gate_profile *gates_find(const char *name)
{
    for (int i = 0; i < gate_profile_count; i++)
        if (strcmp(gate_profiles[i].name, name) == 0)
            return &gate_profiles[i];
    return NULL;
}

const struct gate *gates_of_row(const struct gate_profile *profile, const char *row)
{
    for (int i = 0; i < profile->count; i++)
        if (strcmp(profile->gates[i].name, row) == 0)
            return &profile->gates[i];
    return NULL;
}

enum verdict gates_judge(const struct gate *gate, const struct card *card)
{
    const struct card_row *row = card_row_find(gate->name);
    check(row != NULL);
    double value = card_value(card, row);
    if (isnan(value))
        return gate->optional ? VERDICT_GOOD : VERDICT_BAD;
    return value >= gate->low && value <= gate->high ? VERDICT_GOOD : VERDICT_BAD;
}

int gates_count_bad(const struct gate_profile *profile, const struct card *card)
{
    int bad = 0;
    for (int i = 0; i < profile->count; i++)
        bad += gates_judge(&profile->gates[i], card) == VERDICT_BAD;
    return bad;
}
