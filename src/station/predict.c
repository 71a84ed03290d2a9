#include "station/predict.h"

#include <math.h>
#include <string.h>

struct burg {
    double forward[PREDICT_FRAMES], backward[PREDICT_FRAMES];
    double weights[PREDICT_ORDER + 1];   // of the prediction error; weights[0] is 1
};

// The reflection that leaves the least error in both directions. Its size is below one, so what is predicted dies away.
static double burg_reflection(const struct burg *burg, int order)
{
    double product = 0, energy = 1e-12;
    for (int i = order - 1; i < PREDICT_FRAMES - 1; i++) {
        double f = burg->forward[i + 1], b = burg->backward[i];
        product += f * b;
        energy += f * f + b * b;
    }
    return -2 * product / energy;
}

static void burg_errors(struct burg *burg, int order, double reflection)
{
    for (int i = PREDICT_FRAMES - 2; i >= order - 1; i--) {
        double f = burg->forward[i + 1], b = burg->backward[i];
        burg->forward[i + 1] = f + reflection * b;
        burg->backward[i + 1] = b + reflection * f;
    }
}

static void burg_weights(struct burg *burg, int order, double reflection)
{
    double before[PREDICT_ORDER + 1];
    memcpy(before, burg->weights, sizeof before);
    for (int k = 1; k <= order; k++)
        burg->weights[k] = before[k] + reflection * before[order - k];
}

static void burg_solve(struct burg *burg, const float *known)
{
    memset(burg->weights, 0, sizeof burg->weights);
    burg->weights[0] = 1;
    for (int i = 0; i < PREDICT_FRAMES; i++)
        burg->forward[i] = burg->backward[i] = (double)known[i];
    for (int order = 1; order <= PREDICT_ORDER; order++) {
        double reflection = burg_reflection(burg, order);
        burg_weights(burg, order, reflection);
        burg_errors(burg, order, reflection);
    }
}

void predict(const float *known, float *next, int frames)
{
    struct burg burg;
    double past[PREDICT_ORDER];          // latest first
    burg_solve(&burg, known);
    for (int k = 0; k < PREDICT_ORDER; k++)
        past[k] = (double)known[PREDICT_FRAMES - 1 - k];
    for (int i = 0; i < frames; i++) {
        double sum = 0;
        for (int k = 0; k < PREDICT_ORDER; k++)
            sum -= burg.weights[k + 1] * past[k];
        memmove(past + 1, past, (PREDICT_ORDER - 1) * sizeof *past);
        past[0] = fabs(sum) < 1e-15 ? 0 : sum;
        next[i] = (float)past[0];
    }
}
