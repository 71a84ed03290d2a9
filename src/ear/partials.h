// The partials that stand out of one window's spectrum, and what they tell: roughness and pitch classes.
#pragma once

enum { PARTIALS_MAX = 32, PARTIALS_CLASSES = 12 };

struct partial {
    double hz, amplitude;   // of a sine with this power in the window, linear
};

struct partials {
    struct partial items[PARTIALS_MAX];     // strongest first
    int count;
};

// power: SPECTRUM_BINS bins of `stft`. Local maxima from 40 Hz to 8 kHz, at most 60 dB below the strongest and not
// under -100 dBFS; frequency and height by a parabola through the logarithms of three bins. Two partials nearer than
// some 18 Hz are one.
// Source: J. O. Smith, Spectral Audio Signal Processing, "Quadratic Interpolation of Spectral Peaks".
void partials_find(struct partials *partials, const double *power);
// Sensory dissonance of all pairs over the power of all: 0 for a lone sine, at most .45 for two equal ones, more for
// more of them.
// Source: R. Plomp and W. Levelt 1965, in W. Sethares' parametrisation (Local consonance and the relationship between
// timbre and scale, 1993): each pair adds a1 a2 (5 exp(-3.51 s d) - 5 exp(-5.75 s d)), s = .24 / (.0207 f + 18.96),
// f the lower frequency, d the distance in Hz.
double partials_roughness(const struct partials *partials);
// Adds the amplitudes to the pitch classes, C first, A = 440 Hz; what lies between two is shared by both.
void partials_add_chroma(const struct partials *partials, double *chroma);
