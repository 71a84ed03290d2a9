// Phases and amplitudes of a few segments, sample by sample. A segment is written in whole groups of VOICE_LANES; what
// is too much at its end is written over by the next.
#pragma once
#include <stdbool.h>

#include "synth/voice/lines.h"

enum { VOICE_VECTORS = VOICE_LANES / SYNTH_WIDTH };

static const alignas(64) float voice_lane[VOICE_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// Samples over which a tone is one exponential.
struct voice_part {
    int frames;
    float increment, slope, ratio; // as in voice_tone_lines
};

INLINE void voice_store_any(float *to, vf x)
{
    __builtin_memcpy(to, &x, sizeof x);
}

INLINE void voice_store_words(uint32_t *to, vu x)
{
    __builtin_memcpy(to, &x, sizeof x);
}

// The last lane's word in every lane.
INLINE vu vu_last(vu x)
{
#if SYNTH_WIDTH == 1
    return x;
#elif SYNTH_WIDTH == 4
    return __builtin_shufflevector(x, x, 3, 3, 3, 3);
#elif SYNTH_WIDTH == 8
    return __builtin_shufflevector(x, x, 7, 7, 7, 7, 7, 7, 7, 7);
#else
    return __builtin_shufflevector(x, x, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15);
#endif
}

// How far the phase has turned after 1 .. VOICE_LANES samples: a geometric series.
INLINE void voice_part_turns(const struct voice_part *part, vf turned[VOICE_VECTORS])
{
    bool gentle = part->slope * part->slope <= 1.0f / (16 * VOICE_LANES * VOICE_LANES * VOICE_LANES);
    for (int v = 0; v < VOICE_VECTORS; v++) {
        vf nth = vf_min(vf_load(voice_lane + v * SYNTH_WIDTH) + 1.0f, vf_set((float)part->frames));
        vf x = nth * part->slope;
        turned[v] = nth * part->increment * (gentle ? voice_series_short(x) : voice_series(x));
    }
}

// before: the phase of the sample before the part.   bits: by which the increment is short of 2^32 to a turn.
// frames: how many to write at least; a multiple of VOICE_LANES writes no more.   Returns the phase of the part's last.
INLINE uint32_t voice_part_lay(const struct voice_part *part, int bits, int frames, uint32_t before, uint32_t *phase)
{
    alignas(64) uint32_t last[VOICE_LANES];
    vf turned[VOICE_VECTORS];
    vu from = vu_set(before), by[VOICE_VECTORS] = {0};
    voice_part_turns(part, turned);
    for (int n = 0; n < frames; n += VOICE_LANES) {
        for (int v = 0; v < VOICE_VECTORS; v++) {
            by[v] = vu_from(turned[v]) << bits;
            turned[v] *= part->ratio;
            voice_store_words(phase + n + v * SYNTH_WIDTH, from + by[v]);
        }
        from += vu_last(by[VOICE_VECTORS - 1]);
    }
    from -= vu_last(by[VOICE_VECTORS - 1]);
    for (int v = 0; v < VOICE_VECTORS; v++)
        vu_store(last + v * SYNTH_WIDTH, from + by[v]);
    return last[(part->frames - 1) % VOICE_LANES];
}

INLINE void voice_line_lay(float level, float slope, float *amp)
{
    vf now[VOICE_VECTORS];
    for (int v = 0; v < VOICE_VECTORS; v++)
        now[v] = vf_load(voice_lane + v * SYNTH_WIDTH) * slope + level;
    for (int n = 0; n < VOICE_SEGMENT_MAX; n += VOICE_LANES)
        for (int v = 0; v < VOICE_VECTORS; v++) {
            voice_store_any(amp + n + v * SYNTH_WIDTH, now[v]);
            now[v] += slope * VOICE_LANES;
        }
}

INLINE float voice_clamped(const struct voice_tone *tone, float octaves)
{
    return vf_first(vf_clamp(vf_set(octaves), tone->lowest, tone->highest));
}

// The longest part from sample `at` of a hard segment on, `most` at most: it lies between the limits and turns by no
// more than an octave in VOICE_LANES samples, or beyond one limit.
static struct voice_part voice_part_cut(const struct voice_tone *tone, const struct voice_tone_lines *lines, int n,
                                        int at, int most)
{
    float slope = lines->slope[n], octaves = lines->octaves[n] + (float)at * slope;
    float first = voice_clamped(tone, octaves);
    bool inside = first == octaves, steep = slope * slope > 1.0f / (VOICE_LANES * VOICE_LANES);
    int frames = 1;
    for (; frames < most; frames++) {
        float next = lines->octaves[n] + (float)(at + frames) * slope, clamped = voice_clamped(tone, next);
        float distance = slope * (float)(frames + 1);
        if (inside ? clamped != next || (steep && distance * distance > 1) : clamped != first)
            break;
    }
    slope = inside ? slope : 0;
    float increment = exp2_of(first) * tone->scale / vf_first(voice_series(vf_set(slope)));
    return (struct voice_part){frames, increment, slope, frames > VOICE_LANES ? exp2_of(slope * VOICE_LANES) : 1};
}

static uint32_t voice_cut_lay(const struct voice_tone *tone, const struct voice_tone_lines *lines, int n, int frames,
                              uint32_t before, uint32_t *phase)
{
    for (int at = 0; at < frames;) {
        struct voice_part part = voice_part_cut(tone, lines, n, at, frames - at);
        before = voice_part_lay(&part, 4, part.frames, before, phase + at);
        at += part.frames;
    }
    return before;
}

// Adds segment n.   phase: where both oscillators are before it, and then after it.
static void voice_block_add(struct voice_block *block, const struct voice_work *work, const struct voice_tone *tone,
                            int n, uint32_t phase[2])
{
    int frames = work->grid.first[n + 1] - work->grid.first[n];
    for (int o = 0; o < 2; o++) {
        const struct voice_tone_lines *lines = &work->tone[o];
        uint32_t *to = block->phase[o] + block->frames;
        struct voice_part part = {frames, lines->increment[n], lines->slope[n], lines->ratio[n]};
        if (lines->hard[n])
            phase[o] = voice_cut_lay(&tone[o], lines, n, frames, phase[o], to);
        else if (lines->low[n])
            phase[o] = voice_part_lay(&part, 0, VOICE_SEGMENT_MAX, phase[o], to);
        else
            phase[o] = voice_part_lay(&part, 4, VOICE_SEGMENT_MAX, phase[o], to);
    }
    for (int a = 0; a < 3; a++)
        voice_line_lay(work->amp[a][n], work->amp_slope[a][n], block->amp[a] + block->frames);
    block->frames += frames;
}

// Moves what lies from sample `from` on to the beginning.
static void voice_block_drop(struct voice_block *block, int from)
{
    for (int o = 0; o < 2; o++)
        __builtin_memcpy(block->phase[o], block->phase[o] + from, VOICE_STEP * sizeof *block->phase[o]);
    for (int a = 0; a < 3; a++)
        __builtin_memcpy(block->amp[a], block->amp[a] + from, VOICE_STEP * sizeof *block->amp[a]);
    block->frames -= from;
}
