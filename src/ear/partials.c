#include "ear/partials.h"

#include <math.h>
#include <stdbool.h>

#include "base/frames.h"
#include "ear/spectrum.h"

static const double bin_hz = (double)FRAME_RATE / SPECTRUM_SIZE;
static const double from_hz = 40, to_hz = 8000, depth = 1e-6, floor_power = 1e-10;

// Keeps the strongest, in order.
static void partials_insert(struct partials *partials, struct partial partial)
{
    bool full = partials->count == PARTIALS_MAX;
    if (full && partials->items[PARTIALS_MAX - 1].amplitude >= partial.amplitude)
        return;
    partials->count += !full;
    int at = partials->count - 1;
    while (at > 0 && partials->items[at - 1].amplitude < partial.amplitude) {
        partials->items[at] = partials->items[at - 1];
        at--;
    }
    partials->items[at] = partial;
}

// A sine spreads over three bins or four of a Hann window; 2/3 of its power stands in the middle one.
static struct partial partials_at(const double *power, int bin)
{
    double before = log(power[bin - 1]), here = log(power[bin]), after = log(power[bin + 1]);
    double bend = before - 2 * here + after, offset = bend < 0 ? .5 * (before - after) / bend : 0;
    double height = here - .25 * (before - after) * offset;
    return (struct partial){.hz = (bin + offset) * bin_hz, .amplitude = sqrt(2 * 1.5 * exp(height))};
}

void partials_find(struct partials *partials, const double *power)
{
    int first = (int)(from_hz / bin_hz), last = (int)(to_hz / bin_hz);
    double strongest = 0;
    partials->count = 0;
    for (int bin = first; bin <= last; bin++)
        strongest = power[bin] > strongest ? power[bin] : strongest;
    double least = fmax(strongest * depth, floor_power);
    for (int bin = first; bin <= last; bin++)
        if (power[bin] >= least && power[bin] > power[bin - 1] && power[bin] >= power[bin + 1] &&
            power[bin - 1] > 0 && power[bin + 1] > 0)
            partials_insert(partials, partials_at(power, bin));
}

static double partials_pair(const struct partial *a, const struct partial *b)
{
    double lower = fmin(a->hz, b->hz), distance = fabs(a->hz - b->hz) * .24 / (.0207 * lower + 18.96);
    return a->amplitude * b->amplitude * 5 * (exp(-3.51 * distance) - exp(-5.75 * distance));
}

double partials_roughness(const struct partials *partials)
{
    double sum = 0, power = 0;
    for (int i = 0; i < partials->count; i++) {
        power += partials->items[i].amplitude * partials->items[i].amplitude;
        for (int n = 0; n < i; n++)
            sum += partials_pair(&partials->items[i], &partials->items[n]);
    }
    return power > 0 ? sum / power : 0;
}

void partials_add_chroma(const struct partials *partials, double *chroma)
{
    for (int i = 0; i < partials->count; i++) {
        double note = 69 + 12 * log2(partials->items[i].hz / 440), below = floor(note);
        int class = (int)below % PARTIALS_CLASSES;
        chroma[class] += partials->items[i].amplitude * (1 - (note - below));
        chroma[(class + 1) % PARTIALS_CLASSES] += partials->items[i].amplitude * (note - below);
    }
}
