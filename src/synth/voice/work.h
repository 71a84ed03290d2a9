// What one thread needs to render a patch: the grid of its sound, control signals, and what is drawn from them.
#pragma once
#include <stdalign.h>
#include <stdint.h>

#include "synth/voice/voice.h"

enum {
    VOICE_LANES = 16, // successive samples computed together, at every SIMD level
    VOICE_POINTS_MAX = VOICE_FRAMES_MAX / (VOICE_RATE / VOICE_CONTROL_RATE),
    VOICE_ROOM = (VOICE_POINTS_MAX + 2 * VOICE_LANES - 1) / VOICE_LANES * VOICE_LANES,
    VOICE_STEP = 32, // samples to a step of the oscillators
    VOICE_BLOCK_SEGMENTS = 8,
    VOICE_SEGMENT_MAX = 112, // samples between two control points, rounded up to lanes
    VOICE_BLOCK_ROOM = VOICE_STEP + VOICE_BLOCK_SEGMENTS * VOICE_SEGMENT_MAX,
};

// Where control points lie among the samples: the same for every patch. Point p is sample p (frames - 1) / (points -
// 1), so segments between two points are not all of one length and begin up to a sample late.
struct voice_grid {
    int frames, points;
    float points_per_frame;
    alignas(64) int32_t first[VOICE_ROOM]; // a segment's first sample; [points - 1]: the end
    alignas(64) float late[VOICE_ROOM];    // how late it begins, in points
    alignas(64) float last[VOICE_ROOM];    // its number of samples, less one
};

// The pitch of one oscillator, segment by segment; octaves above voice_tone's base.
struct voice_tone_lines {
    alignas(64) float octaves[VOICE_ROOM];   // at the first sample
    alignas(64) float slope[VOICE_ROOM];     // octaves per sample
    alignas(64) float increment[VOICE_ROOM]; // phase per sample at the first, over series(slope)
    alignas(64) float ratio[VOICE_ROOM];     // of the increments of samples that are VOICE_LANES apart
    alignas(64) uint32_t low[VOICE_ROOM];    // not 0: the increment is 2^32 to a turn, else 2^28
    alignas(64) uint32_t hard[VOICE_ROOM];   // not 0: the segment has to be cut into parts
};

// A few segments, sample by sample: what the oscillators and the noise need to know.
struct voice_block {
    int frames;
    alignas(64) uint32_t phase[2][VOICE_BLOCK_ROOM]; // 2^32 to a turn
    alignas(64) float amp[3][VOICE_BLOCK_ROOM];
    alignas(64) float driven[VOICE_BLOCK_ROOM];
};

struct voice_work {
    struct voice_grid grid;
    alignas(64) uint32_t lfo[2][VOICE_ROOM]; // phases
    alignas(64) float modulation[VOICE_DESTINATIONS][VOICE_ROOM];
    struct voice_tone_lines tone[2];
    alignas(64) float amp[3][VOICE_ROOM], amp_slope[3][VOICE_ROOM]; // at the first sample, per sample
    struct voice_block block;
    alignas(64) float sound[VOICE_FRAMES_MAX + VOICE_STEP]; // before it is scaled; stays in the second-level cache
};
