// Control signals of one patch: envelopes, LFOs, the modulation matrix.
#pragma once
#include "synth/dsp/lfo.h"
#include "synth/voice/envelope.h"

struct voice_lfo {
    struct voice_envelope rate, amp;
    float frequency_hz, depth_hz;
    uint32_t initial_phase;
    float weight[LFO_WAVES]; // they add up to 1
};

struct voice_control {
    struct voice_envelope adsr[2];
    struct voice_lfo lfo[2];
    const float *matrix; // [source][destination]
};

// 2^32 to a turn.
INLINE uint32_t voice_phase_of(float radians)
{
    double turns = (double)radians * 0.15915494309189535;
    return (uint32_t)(int64_t)(turns * 0x1p32);
}

// Each weight to the power of e, then over their sum. All 0, which torchsynth does not define, stay 0.
static void voice_lfo_weigh(struct voice_lfo *lfo, const float *values)
{
    float sum = 0;
    for (int s = 0; s < LFO_WAVES; s++)
        sum += lfo->weight[s] = vf_first(vf_power(vf_set(values[s]), vf_set(2.718281828f)));
    for (int s = 0; s < LFO_WAVES; s++)
        lfo->weight[s] = sum > 0 ? lfo->weight[s] / sum : 0;
}

static void voice_lfo_init(struct voice_lfo *lfo, const float *values, const float *rate, const float *amp,
                           float held_s)
{
    voice_envelope_init(&lfo->rate, rate, held_s);
    voice_envelope_init(&lfo->amp, amp, held_s);
    lfo->frequency_hz = values[VOICE_LFO_FREQUENCY];
    lfo->depth_hz = values[VOICE_LFO_MOD_DEPTH];
    lfo->initial_phase = voice_phase_of(values[VOICE_LFO_INITIAL_PHASE]);
    voice_lfo_weigh(lfo, values + VOICE_LFO_WAVES);
}

static void voice_control_init(struct voice_control *control, const float *values)
{
    float held_s = values[VOICE_KEYBOARD_DURATION];
    voice_envelope_init(&control->adsr[0], values + VOICE_ADSR_1_ATTACK, held_s);
    voice_envelope_init(&control->adsr[1], values + VOICE_ADSR_2_ATTACK, held_s);
    voice_lfo_init(&control->lfo[0], values + VOICE_LFO_1_FREQUENCY, values + VOICE_LFO_1_RATE_ATTACK,
                   values + VOICE_LFO_1_AMP_ATTACK, held_s);
    voice_lfo_init(&control->lfo[1], values + VOICE_LFO_2_FREQUENCY, values + VOICE_LFO_2_RATE_ATTACK,
                   values + VOICE_LFO_2_AMP_ATTACK, held_s);
    control->matrix = values + VOICE_MOD_ADSR_1_TO_VCO_1_PITCH;
}

INLINE vf voice_points_from(int first)
{
    alignas(64) float points[SYNTH_WIDTH];
    for (int i = 0; i < SYNTH_WIDTH; i++)
        points[i] = (float)(first + i);
    return vf_load(points);
}

// phases[n]: the LFO's phase at point n. A phase has already moved when its point is read, as everywhere in torchsynth.
static void voice_lfo_run(const struct voice_lfo *lfo, int points, uint32_t *phases)
{
    for (int n = 0; n < points; n += SYNTH_WIDTH) {
        vf rate = voice_envelope_at(&lfo->rate, (float)n, voice_points_from(n));
        vf hz = vf_max(rate * lfo->depth_hz + lfo->frequency_hz, (vf){0});
        vu_store(phases + n, vu_from(hz * (0x1p32f / VOICE_CONTROL_RATE)));
    }
    uint32_t phase = lfo->initial_phase;
    for (int n = 0; n < points; n++)
        phases[n] = phase += phases[n];
}

INLINE vf voice_lfo_at(const struct voice_lfo *lfo, vu phase)
{
    vf weight[LFO_WAVES];
    for (int w = 0; w < LFO_WAVES; w++)
        weight[w] = vf_set(lfo->weight[w]);
    return lfo_at(phase, weight);
}

// Fills work->modulation. The points after the last are computed as well, up to a whole vector.
static void voice_control_run(const struct voice_control *control, struct voice_work *work)
{
    int points = work->grid.points;
    for (int l = 0; l < 2; l++)
        voice_lfo_run(&control->lfo[l], points, work->lfo[l]);
    for (int n = 0; n < points; n += SYNTH_WIDTH) {
        vf point = voice_points_from(n), source[VOICE_SOURCES];
        for (int l = 0; l < 2; l++) {
            source[l] = voice_envelope_at(&control->adsr[l], (float)n, point);
            source[2 + l] = voice_lfo_at(&control->lfo[l], vu_load(work->lfo[l] + n)) *
                            voice_envelope_at(&control->lfo[l].amp, (float)n, point);
        }
        for (int d = 0; d < VOICE_DESTINATIONS; d++) {
            vf sum = source[0] * control->matrix[d];
            for (int s = 1; s < VOICE_SOURCES; s++)
                sum += source[s] * control->matrix[s * VOICE_DESTINATIONS + d];
            vf_store(work->modulation[d] + n, sum);
        }
    }
}
