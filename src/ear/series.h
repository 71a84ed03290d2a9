// A growing row of numbers: what a meter keeps of an hour. All zero is an empty one.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct series {
    double *values;
    size_t count, cap;
    bool failed;        // memory was short: a value was lost
};

void series_add(struct series *series, double value);
void series_finish(struct series *series);
