#include "ear/recurrence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"

static const double piece_s = (double)RECURRENCE_PIECE_WINDOWS * SPECTRUM_HOP / FRAME_RATE;
enum { LAG_PIECES = 12 };       // 60 s
static const double least_deviation = 1e-6;

static void recurrence_keep(struct recurrence_meter *meter)
{
    for (int i = 0; i < PARTIALS_CLASSES; i++)
        series_add(&meter->pieces, meter->piece.chroma[i]);
    for (int i = 0; i < SPECTRUM_BANDS; i++)
        series_add(&meter->pieces, meter->piece.bands[i]);
    meter->piece = (struct signature){{0}, {0}};
    meter->filled = 0;
}

void recurrence_add(struct recurrence_meter *meter, const struct partials *partials, const double *bands)
{
    signature_add(&meter->piece, partials, bands);
    if (++meter->filled == RECURRENCE_PIECE_WINDOWS)
        recurrence_keep(meter);
}

static struct signature recurrence_piece(const struct recurrence_meter *meter, size_t piece)
{
    struct signature signature;
    const double *values = meter->pieces.values + piece * SIGNATURE_COUNT;
    memcpy(signature.chroma, values, sizeof signature.chroma);
    memcpy(signature.bands, values + PARTIALS_CLASSES, sizeof signature.bands);
    return signature;
}

// Mean out, deviation to one: what all windows share says nothing.
static void recurrence_whiten(double *vectors, size_t count, int feature)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += vectors[i * SIGNATURE_COUNT + (size_t)feature];
    for (size_t i = 0; i < count; i++) {
        double *value = &vectors[i * SIGNATURE_COUNT + (size_t)feature];
        *value -= sum / (double)count;
        squares += *value * *value;
    }
    double deviation = sqrt(squares / (double)count);
    double weight = feature < PARTIALS_CLASSES ? 1. / PARTIALS_CLASSES : 1. / SPECTRUM_BANDS;
    double scale = deviation > least_deviation ? sqrt(weight) / deviation : 0;
    for (size_t i = 0; i < count; i++)
        vectors[i * SIGNATURE_COUNT + (size_t)feature] *= scale;
}

static void recurrence_normalise(double *vector)
{
    double squares = 0;
    for (int i = 0; i < SIGNATURE_COUNT; i++)
        squares += vector[i] * vector[i];
    for (int i = 0; i < SIGNATURE_COUNT && squares > 0; i++)
        vector[i] /= sqrt(squares);
}

static double recurrence_product(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < SIGNATURE_COUNT; i++)
        sum += a[i] * b[i];
    return sum;
}

static struct recurrence recurrence_nearest(double *vectors, size_t count)
{
    struct recurrence nearest = {NAN, NAN};
    for (int feature = 0; feature < SIGNATURE_COUNT; feature++)
        recurrence_whiten(vectors, count, feature);
    for (size_t i = 0; i < count; i++)
        recurrence_normalise(vectors + i * SIGNATURE_COUNT);
    for (size_t i = 0; i < count; i++) {
        for (size_t n = i + LAG_PIECES; n < count; n++) {
            double similarity = recurrence_product(vectors + i * SIGNATURE_COUNT, vectors + n * SIGNATURE_COUNT);
            if (similarity != 0 && !(similarity <= nearest.similarity))
                nearest = (struct recurrence){similarity, (double)(n - i) * piece_s};
        }
    }
    return nearest;
}

struct recurrence recurrence_read(const struct recurrence_meter *meter)
{
    size_t pieces = meter->pieces.count / SIGNATURE_COUNT, count = pieces > 0 ? pieces - 1 : 0;
    double *vectors = malloc((count + 1) * SIGNATURE_COUNT * sizeof *vectors);
    struct recurrence nearest = {NAN, NAN};
    if (vectors && !meter->pieces.failed && count > LAG_PIECES + 2) {
        for (size_t i = 0; i < count; i++) {
            struct signature window = recurrence_piece(meter, i), next = recurrence_piece(meter, i + 1);
            signature_merge(&window, &next);
            signature_vector(&window, vectors + i * SIGNATURE_COUNT);
        }
        nearest = recurrence_nearest(vectors, count);
    }
    free(vectors);
    return nearest;
}

void recurrence_finish(struct recurrence_meter *meter)
{
    series_finish(&meter->pieces);
}
