#include "ear/signature.h"

#include <math.h>

#include "ear/decibel.h"

static const double floor_db = -70;

void signature_add(struct signature *signature, const struct partials *partials, const double *bands)
{
    partials_add_chroma(partials, signature->chroma);
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        signature->bands[i] += bands[i];
}

void signature_merge(struct signature *signature, const struct signature *more)
{
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        signature->chroma[i] += more->chroma[i];
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        signature->bands[i] += more->bands[i];
}

void signature_vector(const struct signature *signature, double *vector)
{
    double squares = 0, power = 0;
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        squares += signature->chroma[i] * signature->chroma[i];
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        power += signature->bands[i];
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        vector[i] = squares > 0 ? signature->chroma[i] / sqrt(squares) : 0;
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        vector[PARTIALS_CLASSES + i] = power > 0 ? fmax(floor_db, decibel_of_power(signature->bands[i] / power)) : 0;
}

double signature_chroma_distance(const struct signature *a, const struct signature *b)
{
    double first[SIGNATURE_COUNT], second[SIGNATURE_COUNT], product = 0;
    signature_vector(a, first);
    signature_vector(b, second);
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        product += first[i] * second[i];
    return fmax(0, 1 - product);
}

double signature_timbre_distance_db(const struct signature *a, const struct signature *b)
{
    double first[SIGNATURE_COUNT], second[SIGNATURE_COUNT], squares = 0;
    signature_vector(a, first);
    signature_vector(b, second);
    for (int i = PARTIALS_CLASSES; i < SIGNATURE_COUNT; i++)
        squares += (first[i] - second[i]) * (first[i] - second[i]);
    return sqrt(squares / SPECTRUM_BANDS);
}
