// What is drawn between two control points: pitch as a straight line in octaves, so frequency as an exponential and
// phase as its sum in closed form; amplitudes as straight lines. Once a segment, SYNTH_WIDTH segments at a time.
#pragma once
#include "synth/dsp/math.h"
#include "synth/voice/work.h"

// A pitch is kept as octaves above 440 Hz * 2^whole, so that small modulation is not rounded against a large pitch.
struct voice_tone {
    float octaves, depth;   // without modulation; octaves per unit of modulation
    float lowest, highest;  // MIDI 0 and 127
    float low;              // MIDI 88: below, VOICE_LANES samples take less than half a turn
    float scale;            // phase per sample at octave 0, 2^28 to a turn
    uint32_t initial_phase; // 2^32 to a turn
};

// (2^x - 1) / (x ln 2): relative error below 1e-8 where |x| <= 1/16, below 3e-9 where |x| <= 1.
INLINE vf voice_series_short(vf x)
{
    vf p = x * 0.01387725442f + 0.08008172766f;
    p = p * x + 0.3465735889f;
    return p * x + 1.0f;
}

INLINE vf voice_series(vf x)
{
    vf p = x * 1.931577719e-6f + 2.228880928e-5f;
    p = p * x + 2.222054831e-4f;
    p = p * x + 1.92346099e-3f;
    p = p * x + 0.01387603335f;
    p = p * x + 0.08007552951f;
    p = p * x + 0.3465735898f;
    return p * x + 1.0f;
}

static void voice_tone_init(struct voice_tone *tone, float midi, float depth, uint32_t initial_phase)
{
    double octaves = ((double)midi - 69) / 12;
    int whole = (int)(octaves + 64.5) - 64;
    tone->octaves = (float)(octaves - whole);
    tone->depth = depth * (1.0f / 12);
    tone->lowest = (float)(-69.0 / 12 - whole);
    tone->highest = (float)(58.0 / 12 - whole);
    tone->low = (float)(19.0 / 12 - whole);
    tone->scale = 440.0f / VOICE_RATE * 0x1p28f * exp2_of((float)whole);
    tone->initial_phase = initial_phase;
}

// A tone that stays between its limits, or beyond one, for the whole segment is one exponential. Hard are the others,
// and those that are steeper than the series allow.
INLINE void voice_tone_segment(const struct voice_tone *tone, struct voice_tone_lines *lines, int n, vf from, vf slope,
                               vf last)
{
    vf octaves = from * tone->depth + tone->octaves, steep = slope * tone->depth, end = octaves + steep * last;
    vf first = vf_clamp(octaves, tone->lowest, tone->highest), final = vf_clamp(end, tone->lowest, tone->highest);
    vu moved = vf_less(octaves, first) | vf_less(first, octaves) | vf_less(end, final) | vf_less(final, end);
    vu flat = ~(vf_less(first, final) | vf_less(final, first)) & moved;
    vu hard = (moved & ~flat) | (vf_less(vf_set(1.0f / VOICE_LANES), vf_abs(steep)) & ~flat);
    vf line = vf_bits(vu_bits(steep) & ~flat);
    vf across = vf_bits(vu_bits(line * VOICE_LANES) & ~hard);
    vu low = vf_less(vf_max(first, first + line * VOICE_SEGMENT_MAX), vf_set(tone->low)) & ~hard;
    vf increment = vf_exp2(first) * tone->scale / voice_series_short(vf_bits(vu_bits(line) & ~hard));
    vf_store(lines->octaves + n, vf_select(hard, octaves, first));
    vf_store(lines->slope + n, line);
    vf_store(lines->increment + n, increment * vf_select(low, vf_set(16.0f), vf_set(1.0f)));
    vf_store(lines->ratio + n, across * 0.69314718f * voice_series(across) + 1.0f);
    vu_store(lines->low + n, low);
    vu_store(lines->hard + n, hard);
}

// The line of one control signal: its value at the segments' first samples, and what it gains per sample.
INLINE vf voice_line(const float *signal, const struct voice_grid *grid, int n, vf *slope)
{
    vf here = vf_load(signal + n), rise = vf_load_anywhere(signal + n + 1) - here;
    *slope = rise * grid->points_per_frame;
    return here + rise * vf_load(grid->late + n);
}

// gain: of each of the three sounds.
static void voice_lines_run(const struct voice_tone *tone, const float *gain, struct voice_work *work)
{
    static const int pitch[2] = {VOICE_TO_VCO_1_PITCH, VOICE_TO_VCO_2_PITCH};
    static const int amp[3] = {VOICE_TO_VCO_1_AMP, VOICE_TO_VCO_2_AMP, VOICE_TO_NOISE_AMP};
    const struct voice_grid *grid = &work->grid;
    for (int n = 0; n < grid->points - 1; n += SYNTH_WIDTH) {
        vf slope;
        for (int o = 0; o < 2; o++) {
            vf from = voice_line(work->modulation[pitch[o]], grid, n, &slope);
            voice_tone_segment(&tone[o], &work->tone[o], n, from, slope, vf_load(grid->last + n));
        }
        for (int a = 0; a < 3; a++) {
            vf_store(work->amp[a] + n, voice_line(work->modulation[amp[a]], grid, n, &slope) * gain[a]);
            vf_store(work->amp_slope[a] + n, slope * gain[a]);
        }
    }
}
