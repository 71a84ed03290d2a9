// The few segments over which a pitch meets its limits, or moves by more than an octave in VOICE_LANES samples: cut into
// parts over which it does neither. One sample's pitch is computed as elsewhere; only where the parts begin differs.
#pragma once
#include "synth/voice/oscillate.h"

INLINE float voice_clamped(const struct voice_tone *tone, float octaves)
{
    return vf_first(vf_clamp(vf_set(octaves), tone->lowest, tone->highest));
}

// Samples from `at` on that a tone keeps to one line, at most `most`; fills in that line.
static int voice_tone_cut(const struct voice_tone *tone, const struct voice_tone_lines *lines, int n, int at, int most,
                          int o, struct voice_part *part)
{
    float slope = lines->slope[n], octaves = lines->octaves[n] + (float)at * slope;
    float clamped = voice_clamped(tone, octaves);
    bool inside = clamped == octaves;
    int frames = 1;
    part->slope[o] = inside ? slope : 0;
    part->increment[o] = exp2_of(clamped) * tone->scale / vf_first(voice_series(vf_set(part->slope[o])));
    while (frames < most) {
        float next = lines->octaves[n] + (float)(at + frames) * slope, next_clamped = voice_clamped(tone, next);
        if (inside ? next_clamped != next || (slope < 0 ? -slope : slope) * (float)(frames + 1) > 1
                   : next_clamped != clamped)
            break;
        frames++;
    }
    return frames;
}

// Of frames that are more than VOICE_LANES no tone turns by more than an octave in VOICE_LANES samples.
static float voice_tone_ratio(float slope, int frames)
{
    return frames > VOICE_LANES ? exp2_of(slope * VOICE_LANES) : 1;
}

static void voice_segment_cut(struct voice_sound *sound, const struct voice_work *work, const struct voice_tone *tone,
                              int n)
{
    int frames = work->grid.first[n + 1] - work->grid.first[n];
    for (int at = 0; at < frames;) {
        struct voice_part part;
        part.frames = frames - at;
        for (int o = 0; o < 2; o++) {
            int kept = voice_tone_cut(&tone[o], &work->tone[o], n, at, part.frames, o, &part);
            part.frames = kept < part.frames ? kept : part.frames;
        }
        for (int o = 0; o < 2; o++)
            part.ratio[o] = voice_tone_ratio(part.slope[o], part.frames);
        for (int a = 0; a < 3; a++) {
            part.amp[a] = work->amp[a][n] + (float)at * work->amp_slope[a][n];
            part.amp_slope[a] = work->amp_slope[a][n];
        }
        voice_part_render(sound, &part);
        at += part.frames;
    }
}
