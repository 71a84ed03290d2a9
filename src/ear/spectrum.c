#include "ear/spectrum.h"

#include <math.h>

#include "base/frames.h"
#include "ear/decibel.h"

static const double bin_hz = (double)FRAME_RATE / SPECTRUM_SIZE;
static const double line_from_hz = 100, line_to_hz = 10000;
static const double zone_edges_hz[ZONES + 1] = {20, 60, 250, 2000, 6000, 20000};

void spectrum_add(struct spectrum *spectrum, const double *power)
{
    for (int bin = 0; bin < SPECTRUM_BINS; bin++)
        spectrum->power[bin] += power[bin];
    spectrum->windows++;
}

// A bin covers half of its width either side of its middle; `from` and `to` in bins.
static double spectrum_share(int bin, double from, double to)
{
    double low = from > bin - .5 ? from : bin - .5, high = to < bin + .5 ? to : bin + .5;
    return high > low ? high - low : 0;
}

double spectrum_within(const double *power, double from_hz, double to_hz)
{
    double from = from_hz / bin_hz, to = to_hz / bin_hz;
    int first = (int)(from + .5), last = (int)(to + .5);
    last = last < SPECTRUM_BINS ? last : SPECTRUM_BINS - 1;
    if (first > last)
        return 0;
    double sum = power[first] * spectrum_share(first, from, to);
    for (int bin = first + 1; bin < last; bin++)
        sum += power[bin];
    return last > first ? sum + power[last] * spectrum_share(last, from, to) : sum;
}

double spectrum_band_hz(int band)
{
    return 1000 * pow(10, (band - 15) / 10.);
}

void spectrum_bands(const double *power, double *bands)
{
    const double half = pow(10, .05);
    for (int band = 0; band < SPECTRUM_BANDS; band++)
        bands[band] = spectrum_within(power, spectrum_band_hz(band) / half, spectrum_band_hz(band) * half);
}

static double spectrum_total(const struct spectrum *spectrum)
{
    return spectrum_within(spectrum->power, zone_edges_hz[0], zone_edges_hz[ZONES]);
}

double spectrum_slope_db_per_octave(const struct spectrum *spectrum)
{
    double bands[SPECTRUM_BANDS], n = 0, x = 0, y = 0, xx = 0, xy = 0;
    spectrum_bands(spectrum->power, bands);
    for (int band = 0; band < SPECTRUM_BANDS; band++) {
        double hz = spectrum_band_hz(band);
        if (hz < line_from_hz * .99 || hz > line_to_hz * 1.01)
            continue;
        double octaves = log2(hz), density_db = decibel_of_power(bands[band] / hz);
        n++;
        x += octaves;
        y += density_db;
        xx += octaves * octaves;
        xy += octaves * density_db;
    }
    return isfinite(y) ? (n * xy - x * y) / (n * xx - x * x) : NAN;
}

double spectrum_centroid_hz(const struct spectrum *spectrum)
{
    double weighed = 0, sum = 0;
    for (int bin = 1; bin < SPECTRUM_BINS; bin++) {
        weighed += bin * bin_hz * spectrum->power[bin];
        sum += spectrum->power[bin];
    }
    return sum > 0 ? weighed / sum : NAN;
}

double spectrum_flatness_db(const struct spectrum *spectrum)
{
    int first = (int)(line_from_hz / bin_hz), last = (int)(line_to_hz / bin_hz), count = last - first + 1;
    double sum = 0, logs = 0;
    for (int bin = first; bin <= last; bin++) {
        sum += spectrum->power[bin];
        logs += decibel_of_power(spectrum->power[bin]);
    }
    return isfinite(logs) ? logs / count - decibel_of_power(sum / count) : NAN;
}

double spectrum_zone_db(const struct spectrum *spectrum, enum spectrum_zone zone)
{
    double total = spectrum_total(spectrum);
    double inside = spectrum_within(spectrum->power, zone_edges_hz[zone], zone_edges_hz[zone + 1]);
    return total > 0 ? decibel_of_power(inside / total) : NAN;
}
