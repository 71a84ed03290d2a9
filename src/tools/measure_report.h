// What `auralis measure` says about a file.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "ear/card.h"
#include "ear/gates.h"

struct measure_summary {
    const char *file;
    const struct card *card;
    const struct gate_profile *profile;
    const char *other;                      // what it was compared with; NULL: with nothing
    const struct card_distance *distance;   // to the other
};

// A row for each measure: value, unit, what was allowed, the verdict, what it is.
void measure_print_text(const struct measure_summary *summary, FILE *out);
// The same figures with all their digits; null for what could not be measured and what is infinite. The caller gets the
// reference.
json_t *measure_json(const struct measure_summary *summary);
