#include "ear/gates.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "ear/clicks.h"

#define OPEN HUGE_VAL
#define RANGE(name_, unit_, low_, high_) {.name = (name_), .unit = (unit_), .low = (low_), .high = (high_)}
#define LOUDNESS(lufs) RANGE("integrated", "LUFS", (lufs) - 1, (lufs) + 1)
#define TRUE_PEAK(most) RANGE("true_peak", "dBTP", -OPEN, most)
// What holds for all material.
#define COMMON                                                                                                         \
    RANGE("short_term_move", "LU", 0, 6),                                                                              \
    RANGE("crest", "dB", 10, 18),                                                                                      \
    RANGE("dc", "dBFS", -OPEN, -60),                                                                                   \
    RANGE("nonfinite", "samples", 0, 0),                                                                               \
    RANGE("denormals", "samples", 0, 0),                                                                               \
    RANGE("clicks", "", 0, 0),                                                                                         \
    {.name = "reference_difference", .unit = "", .low = 0, .high = CLICKS_DIFFERENCE_LIMIT, .optional = true},         \
    RANGE("correlation", "", .2, .9),                                                                                  \
    RANGE("bass_correlation", "", .95, 1),                                                                             \
    RANGE("fold_down_loss", "dB", -OPEN, 3),                                                                           \
    RANGE("grid", "", -OPEN, .3)
#define LOUDNESS_RANGE RANGE("loudness_range", "LU", 1, 10)

// As rendered: a tenth of a decibel above the limiter's ceiling, for meters differ by that.
#define RENDERED_DBTP (-1.9)
#define DECODED_DBTP (-1)
#define DAY_LUFS (-18)
#define SOFT_LUFS (-23)

static const struct gate render_gates[] = {LOUDNESS(DAY_LUFS), TRUE_PEAK(RENDERED_DBTP), LOUDNESS_RANGE, COMMON};
static const struct gate decoded_gates[] = {LOUDNESS(DAY_LUFS), TRUE_PEAK(DECODED_DBTP), LOUDNESS_RANGE, COMMON};
static const struct gate soft_gates[] = {LOUDNESS(SOFT_LUFS), TRUE_PEAK(RENDERED_DBTP), LOUDNESS_RANGE, COMMON};
static const struct gate soft_decoded_gates[] = {LOUDNESS(SOFT_LUFS), TRUE_PEAK(DECODED_DBTP), LOUDNESS_RANGE, COMMON};

#define SCENE(scene, lufs, least_range, most_range, least_slope, most_slope, least_centroid, most_centroid,            \
              least_roughness, most_roughness)                                                                         \
    static const struct gate scene##_gates[] = {                                                                       \
        LOUDNESS(lufs), TRUE_PEAK(RENDERED_DBTP), COMMON, RANGE("loudness_range", "LU", least_range, most_range),      \
        RANGE("slope", "dB/oct", least_slope, most_slope), RANGE("centroid", "Hz", least_centroid, most_centroid),     \
        RANGE("roughness", "", least_roughness, most_roughness)};
#include "ear/scenes.def"
#undef SCENE

#define PROFILE(name, line, gates) {(name), (line), gates, sizeof gates / sizeof *gates}
const struct gate_profile gate_profiles[] = {
    PROFILE("render", "as it is rendered, for the day", render_gates),
    PROFILE("decoded", "the same after a lossy codec", decoded_gates),
    PROFILE("soft", "as it is rendered, for the night", soft_gates),
    PROFILE("soft-decoded", "the same after a lossy codec", soft_decoded_gates),
#define SCENE(scene, ...) PROFILE(#scene, "what this scene declares", scene##_gates),
#include "ear/scenes.def"
#undef SCENE
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
