// What a quality card has to keep to, as data.
#pragma once
#include <stdbool.h>

#include "ear/card.h"

struct gate {
    const char *name;       // a row of the card
    const char *unit;       // of that row
    double low, high;       // both allowed; infinite: open on this side
    bool optional;          // what could not be measured is well
};

struct gate_profile {
    const char *name, *line;    // "render"; what it is for, a phrase
    const struct gate *gates;
    int count;
};

enum verdict { VERDICT_GOOD, VERDICT_BAD };

// What there is; the first is for an ordinary render. A profile of each scene is among them.
extern const struct gate_profile gate_profiles[];
extern const int gate_profile_count;
// NULL when there is none of that name.
const struct gate_profile *gates_find(const char *name);
// NULL when the profile asks nothing of this row.
const struct gate *gates_of_row(const struct gate_profile *profile, const char *row);
// What could not be measured is bad, unless the gate is optional.
enum verdict gates_judge(const struct gate *gate, const struct card *card);
// How many are bad.
int gates_count_bad(const struct gate_profile *profile, const struct card *card);
