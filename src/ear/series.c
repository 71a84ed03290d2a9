#include "ear/series.h"

#include <stdlib.h>

void series_add(struct series *series, double value)
{
    if (series->count == series->cap) {
        size_t cap = series->cap ? 2 * series->cap : 1024;
        double *grown = realloc(series->values, cap * sizeof *grown);
        if (!grown) {
            series->failed = true;
            return;
        }
        series->values = grown;
        series->cap = cap;
    }
    series->values[series->count++] = value;
}

void series_finish(struct series *series)
{
    free(series->values);
    *series = (struct series){0};
}
