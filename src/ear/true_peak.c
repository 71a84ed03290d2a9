#include "ear/true_peak.h"

#include <stdbool.h>
#include <string.h>

#include "ear/decibel.h"

enum { BEFORE = TRUE_PEAK_TAPS - 1, LANES = 8 };

static const double kaiser_beta = 6;

// Modified Bessel function of order 0, by its series.
static double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 30; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static double true_peak_tap(double distance)
{
    double edge = distance / (TRUE_PEAK_TAPS / 2.);
    return sin(M_PI * distance) / (M_PI * distance) * bessel(kaiser_beta * sqrt(1 - edge * edge));
}

void true_peak_init(struct true_peak *meter)
{
    const int middle = TRUE_PEAK_TAPS / 2 - 1;
    *meter = (struct true_peak){.reach = 1};
    for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++) {
        double *taps = meter->taps[phase], sum = 0, reach = 0;
        for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
            sum += taps[tap] = true_peak_tap(tap - middle - (phase + 1) / 4.);
        for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
            reach += fabs(taps[tap] /= sum);
        meter->reach = fmax(meter->reach, reach);
    }
}

// A whole run of one phase; `in` begins BEFORE samples earlier.
static double true_peak_phase(const double *taps, const double *in, double peak)
{
    for (int at = 0; at < TRUE_PEAK_RUN; at += LANES) {
        double sum[LANES] = {0};
        for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
            for (int lane = 0; lane < LANES; lane++)
                sum[lane] += taps[tap] * in[at + tap + lane];
        for (int lane = 0; lane < LANES; lane++)
            peak = fabs(sum[lane]) > peak ? fabs(sum[lane]) : peak;
    }
    return peak;
}

static double true_peak_phase_short(const double *taps, const double *in, size_t frames, double peak)
{
    for (size_t at = 0; at < frames; at++) {
        double sum = 0;
        for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
            sum += taps[tap] * in[at + (size_t)tap];
        peak = fmax(peak, fabs(sum));
    }
    return peak;
}

// Where even the worst waveform could not reach the peak so far there is nothing to compute.
static void true_peak_channel(struct true_peak *meter, const double *recent, size_t frames)
{
    double loudest = 0;
    for (size_t i = 0; i < BEFORE + frames; i++)
        loudest = fabs(recent[i]) > loudest ? fabs(recent[i]) : loudest;
    for (int phase = 0; phase < TRUE_PEAK_PHASES && loudest * meter->reach > meter->peak; phase++)
        meter->peak = frames == TRUE_PEAK_RUN
                          ? true_peak_phase(meter->taps[phase], recent, meter->peak)
                          : true_peak_phase_short(meter->taps[phase], recent, frames, meter->peak);
    for (size_t i = BEFORE; i < BEFORE + frames; i++)
        meter->peak = fabs(recent[i]) > meter->peak ? fabs(recent[i]) : meter->peak;
}

void true_peak_add(struct true_peak *meter, const float *stereo, size_t frames)
{
    while (frames > 0) {
        size_t run = frames < TRUE_PEAK_RUN ? frames : TRUE_PEAK_RUN;
        for (size_t channel = 0; channel < 2; channel++) {
            double *recent = meter->recent[channel];
            for (size_t i = 0; i < run; i++) {
                float sample = stereo[2 * i + channel];
                recent[BEFORE + i] = isfinite(sample) ? (double)sample : 0;
            }
            true_peak_channel(meter, recent, run);
            memmove(recent, recent + run, BEFORE * sizeof *recent);
        }
        stereo += 2 * run;
        frames -= run;
    }
}

double true_peak_dbtp(const struct true_peak *meter)
{
    struct true_peak whole = *meter;
    const float silence[2 * TRUE_PEAK_TAPS] = {0};
    true_peak_add(&whole, silence, TRUE_PEAK_TAPS);
    return decibel_of_amplitude(whole.peak);
}
