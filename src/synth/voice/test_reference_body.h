// Included twice, for REAL double and float. Source: torchsynth 1.0.2, module.py and synth.py.

static REAL *OF(room)(int count)
{
    REAL *room = calloc((size_t)count, sizeof *room);
    check(room);
    return room;
}

// ramp of ADSR.
static REAL OF(ramp)(int point, REAL start_s, REAL length_s, REAL alpha, bool inverse)
{
    const REAL epsilon = (REAL)1e-6;
    REAL start = start_s * VOICE_CONTROL_RATE, length = length_s * VOICE_CONTROL_RATE;
    REAL ramp = fmax((REAL)point - start, (REAL)0);
    ramp = fmin((ramp + epsilon) / length + epsilon, (REAL)1);
    if (inverse && length > 0)
        ramp = 1 - ramp;
    return pow(ramp, alpha);
}

// values: attack, decay, sustain, release, alpha.
static REAL OF(adsr)(const float *values, float held, int point)
{
    REAL attack = values[0], decay = values[1], sustain = values[2], release = values[3], alpha = values[4], on = held;
    REAL new_attack = fmin(attack, on), new_decay = fmin(fmax(on - attack, (REAL)0), decay);
    REAL fall = OF(ramp)(point, new_attack, new_decay, alpha, true);
    return OF(ramp)(point, 0, new_attack, alpha, false) * ((1 - sustain) * fall + sustain) *
           OF(ramp)(point, on, release, alpha, true);
}

// values: frequency, mod_depth, initial_phase, sin, tri, saw, rsaw, sqr.
static void OF(lfo)(const float *values, const float *rate, float held, int points, REAL *out)
{
    const REAL two_pi = (REAL)(2 * M_PI);
    REAL mode[5], total = 0;
    double sum = 0;
    for (int s = 0; s < 5; s++)
        total += mode[s] = pow((REAL)values[3 + s], (REAL)2.718281828);
    for (int n = 0; n < points; n++) {
        REAL hz = fmax((REAL)values[0] + (REAL)values[1] * OF(adsr)(rate, held, n), (REAL)0);
        sum += (double)(two_pi * hz / VOICE_CONTROL_RATE);
        REAL argument = (REAL)sum + (REAL)values[2], cosine = cos(argument + (REAL)M_PI);
        REAL square = (REAL)((cosine > 0) - (cosine < 0)), saw = fmod(argument, two_pi);
        saw = (saw < 0 ? saw + two_pi : saw) / two_pi;
        REAL triangle = 2 * saw > 1 ? 2 - 2 * saw : 2 * saw;
        out[n] = (mode[0] * (cosine + 1) / 2 + mode[1] * triangle + mode[2] * saw + mode[3] * (1 - saw) +
                  mode[4] * (square + 1) / 2) /
                 total;
    }
}

// One row for each destination.
static void OF(modulate)(const float *values, int points, REAL *out)
{
    float held = values[VOICE_KEYBOARD_DURATION];
    const float *matrix = values + VOICE_MOD_ADSR_1_TO_VCO_1_PITCH;
    REAL *lfo[2] = {OF(room)(points), OF(room)(points)};
    OF(lfo)(values + VOICE_LFO_1_FREQUENCY, values + VOICE_LFO_1_RATE_ATTACK, held, points, lfo[0]);
    OF(lfo)(values + VOICE_LFO_2_FREQUENCY, values + VOICE_LFO_2_RATE_ATTACK, held, points, lfo[1]);
    for (int n = 0; n < points; n++) {
        REAL source[4] = {OF(adsr)(values + VOICE_ADSR_1_ATTACK, held, n),
                          OF(adsr)(values + VOICE_ADSR_2_ATTACK, held, n),
                          lfo[0][n] * OF(adsr)(values + VOICE_LFO_1_AMP_ATTACK, held, n),
                          lfo[1][n] * OF(adsr)(values + VOICE_LFO_2_AMP_ATTACK, held, n)};
        for (int d = 0; d < VOICE_DESTINATIONS; d++)
            for (int s = 0; s < 4; s++)
                out[d * points + n] += source[s] * (REAL)matrix[s * VOICE_DESTINATIONS + d];
    }
    free(lfo[0]);
    free(lfo[1]);
}

// Linear interpolation with the corners aligned.
static REAL OF(upsampled)(const REAL *signal, int points, int n, int frames)
{
    REAL at = (REAL)((double)n * (points - 1) / (frames - 1));
    int left = at < points - 2 ? (int)at : points - 2;
    REAL share = at - (REAL)left;
    return (1 - share) * signal[left] + share * signal[left + 1];
}

static REAL OF(midi_to_hz)(REAL midi)
{
    return 440 * exp2((midi - 69) / 12);
}

// Adds one oscillator's phase increment. values: tuning, mod_depth, initial_phase.
static REAL OF(argument)(const float *values, REAL midi_f0, REAL modulation, double *sum)
{
    REAL control = fmin(fmax(midi_f0 + (REAL)values[0] + (REAL)values[1] * modulation, (REAL)0), (REAL)127);
    *sum += (double)((REAL)(2 * M_PI) * OF(midi_to_hz)(control) / VOICE_RATE);
    return (REAL)*sum + (REAL)values[2];
}

static REAL OF(square_saw)(const float *values, REAL midi_f0, REAL argument)
{
    REAL shape = values[VOICE_VCO_2_SHAPE], highest = fmax((REAL)values[VOICE_VCO_2_MOD_DEPTH], (REAL)0);
    REAL max_f0 = OF(midi_to_hz)(midi_f0 + (REAL)values[VOICE_VCO_2_TUNING] + highest);
    REAL partials = 12000 / (max_f0 * log10(max_f0));
    REAL square = tanh((REAL)M_PI * partials * sin(argument) / 2);
    return (1 - shape / 2) * square * (1 + shape * cos(argument));
}

void OF(reference)(const struct voice_patch *patch, uint32_t noise, int frames, double *out)
{
    const float *values = patch->value;
    int points = (int)lround((double)frames / VOICE_RATE * VOICE_CONTROL_RATE);
    REAL *modulation = OF(room)(points * VOICE_DESTINATIONS), midi_f0 = values[VOICE_KEYBOARD_MIDI_F0], now[5],
         peak = 0;
    double sum[2] = {0, 0};
    OF(modulate)(values, points, modulation);
    for (int n = 0; n < frames; n++, noise *= 747796405u) {
        for (int d = 0; d < VOICE_DESTINATIONS; d++)
            now[d] = OF(upsampled)(modulation + d * points, points, n, frames);
        REAL sine = cos(OF(argument)(values + VOICE_VCO_1_TUNING, midi_f0, now[VOICE_TO_VCO_1_PITCH], &sum[0]));
        REAL argument = OF(argument)(values + VOICE_VCO_2_TUNING, midi_f0, now[VOICE_TO_VCO_2_PITCH], &sum[1]);
        REAL mixed =
            sine * now[VOICE_TO_VCO_1_AMP] * (REAL)values[VOICE_MIXER_VCO_1] +
            OF(square_saw)(values, midi_f0, argument) * now[VOICE_TO_VCO_2_AMP] * (REAL)values[VOICE_MIXER_VCO_2] +
            (REAL)(int32_t)noise * (REAL)0x1p-31 * now[VOICE_TO_NOISE_AMP] * (REAL)values[VOICE_MIXER_NOISE];
        out[n] = (double)mixed;
        peak = fmax(peak, fabs(mixed));
    }
    for (int n = 0; n < frames && peak > 1; n++)
        out[n] /= (double)peak;
    free(modulation);
}
