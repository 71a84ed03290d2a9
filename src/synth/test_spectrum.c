// Spectra by a window whose side lobes are below -90 dB.
#include "synth/test_spectrum.h"

#include <math.h>
#include <stdlib.h>

#include <kiss_fftr.h>

#include "base/frames.h"

static const double bin_hz = (double)FRAME_RATE / SPECTRUM_SIZE;

void test_spectrum_take(struct test_spectrum *spectrum, const float *x, int stride)
{
    static float windowed[SPECTRUM_SIZE];
    static kiss_fft_cpx bins[SPECTRUM_BINS];
    for (int i = 0; i < SPECTRUM_SIZE; i++, x += stride) {
        double t = 2 * M_PI * i / SPECTRUM_SIZE;
        double window = 0.35875 - 0.48829 * cos(t) + 0.14128 * cos(2 * t) - 0.01168 * cos(3 * t);
        windowed[i] = *x * (float)window;
    }
    kiss_fftr_cfg fft = kiss_fftr_alloc(SPECTRUM_SIZE, 0, NULL, NULL);
    kiss_fftr(fft, windowed, bins);
    free(fft);
    for (int k = 0; k < SPECTRUM_BINS; k++)
        spectrum->power[k] = (double)bins[k].r * bins[k].r + (double)bins[k].i * bins[k].i;
}

struct off_harmonics test_spectrum_off_harmonics(const struct test_spectrum *spectrum, double f0_hz, int skirt_bins)
{
    double tone = 0, low = 0, high = 0;
    for (int k = 0; k < SPECTRUM_BINS; k++) {
        double harmonic = round(k * bin_hz / f0_hz);
        tone += spectrum->power[k];
        if (fabs(k - harmonic * f0_hz / bin_hz) <= skirt_bins)
            continue;
        *(k * bin_hz < 2000 ? &low : &high) += spectrum->power[k];
    }
    return (struct off_harmonics){10 * log10(low / tone + 1e-20), 10 * log10(high / tone + 1e-20)};
}

double test_spectrum_power(const struct test_spectrum *spectrum, double hz, double reach_hz)
{
    double sum = 0;
    for (int k = (int)ceil((hz - reach_hz) / bin_hz); k <= (hz + reach_hz) / bin_hz; k++)
        sum += spectrum->power[k];
    return sum;
}

double test_spectrum_hz(const struct test_spectrum *spectrum, double hz, double reach_hz)
{
    double sum = 0;
    for (int k = (int)ceil((hz - reach_hz) / bin_hz); k <= (hz + reach_hz) / bin_hz; k++)
        sum += spectrum->power[k] * k * bin_hz;
    return sum / test_spectrum_power(spectrum, hz, reach_hz);
}
