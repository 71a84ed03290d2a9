// What `auralis measure` and `auralis ear` say about pieces of music.
#pragma once
#include <stdio.h>

#include <jansson.h>

#include "ear/card.h"
#include "ear/gates.h"

struct measure_piece {
    const char *name;       // of the file, or of scene and seed
    struct card card;
    const struct gate_profile *profile;
};

// A row for each measure: value, unit, what was allowed, the verdict, what it is.
void measure_print_text(const struct measure_piece *piece, FILE *out);
// A row for each piece: how far it is from each of the others.
void measure_print_distances(const struct measure_piece *pieces, int count, FILE *out);
// The figures of measure_print_text with all their digits; null for what could not be measured and what is infinite.
// The caller gets the reference.
json_t *measure_json(const struct measure_piece *piece);
// With the digits that the figures have.
void measure_json_print(json_t *root, FILE *out);
// The distances of piece `from` to all, in their order. The caller gets the reference.
json_t *measure_json_distances(const struct measure_piece *pieces, int count, int from);
