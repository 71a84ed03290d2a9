// What the state of one chain is made of: flat, without pointers, structures of arrays in groups of 16 lanes. What each
// instrument keeps stands in its own file; synth/instruments/all.h puts it all together. Only src/synth and renderers
// look inside. A lane that rests holds zeros in its instrument.
#pragma once
#include <stdalign.h>
#include <stdint.h>

#include "base/frames.h"
#include "score/event.h"
#include "synth/synth.h"

enum { LANES = 16 };  // logical lanes of a group, whatever the hardware

// What a note is, per lane.
struct lane_notes {
    uint64_t id[LANES];
    uint64_t begin_frame[LANES]; // it began there, though the chain may have heard of it later
    uint64_t end_frame[LANES];   // it ends by itself there; 0: until told
    float pitch[LANES], velocity[LANES], pan[LANES], brightness[LANES];
    float attack_s[LANES], release_s[LANES];
    uint32_t layer[LANES];
};

enum lane_stage { LANE_RESTS, LANE_ATTACKS, LANE_HOLDS, LANE_RELEASES, LANE_MAKES_ROOM };

// Notes and envelopes of one group of lanes.
struct lanes {
    struct lane_notes now, next;
    uint32_t waiting[LANES];     // a note in `next` wants the lane
    uint32_t stage[LANES];       // enum lane_stage
    float ramp[LANES];           // 0..1, place on the attack or, falling, on the way out
    float step[LANES];           // of the ramp, per block
    float top[LANES];            // level at which the way out began
    float level[LANES];          // envelope at the end of the last block, 0..1
};

// How loud an instrument is: straight, and into the reverb.
struct instrument_levels {
    float dry, send;
};

// Filters and gains of the two sides of a voice (instruments/sides.h).
struct sides {
    float left_1[LANES], left_2[LANES], right_1[LANES], right_2[LANES];  // filter memories
    float through[LANES], across[LANES], enters[LANES];                  // filter coefficients reached
    float gain_left[LANES], gain_right[LANES];
};

enum { HALF_BAND_TAPS = 8, HALF_BAND_KEPT = 2 * HALF_BAND_TAPS - 1 };  // frames before a block (dsp/half_band.h)

enum { RING_GUARD = 128 };  // frames behind a delay line that repeat its beginning (dsp/ring.h)

enum { REVERB_LINES = 16, REVERB_FRAMES = 40512 };
enum { DIFFUSERS = 4, DIFFUSER_FRAMES = 512 };

// Source: J.-M. Jot and A. Chaigne, Digital delay networks for designing artificial reverberators, AES 90 (1991).
struct reverb {
    float ring[REVERB_FRAMES];       // the lines, one behind the other, each with its guard
    float before[REVERB_LINES];      // last interpolated sample of each line
    float gain[REVERB_LINES];        // reached, per pass
    float level, frozen;             // reached: of the wet sound, and how far it holds what is in it
    float cut[2][2];                 // low cut: memories per channel
    alignas(64) float diffuser[2][DIFFUSERS][DIFFUSER_FRAMES + RING_GUARD];
};

// Frames from one pair of stretches to the next; numbers that a pair needs of the past, at a quarter of the rate, and
// that come of it, at half the rate.
enum { SHIMMER_TURN = 8192, SHIMMER_PAST = 5120, SHIMMER_COMING = 6144 + HALF_BAND_KEPT };

// What is kept of the frames before a block, to halve its rate.
struct shimmer_halves {
    float even[HALF_BAND_TAPS - 1], odd[HALF_BAND_KEPT];
};

struct shimmer {
    alignas(64) float past[SHIMMER_PAST];
    float coming[SHIMMER_COMING];
    struct shimmer_halves halves[2];
    float level;                     // reached
};

enum { CHORUS_FRAMES = 1024 };

struct chorus {
    float ring[2][CHORUS_FRAMES + RING_GUARD];
    float level;                     // reached
};

enum { ECHO_LEFT_FRAMES = 20032, ECHO_RIGHT_FRAMES = 27200 };  // .417 and .567 s

struct echo {
    float left[ECHO_LEFT_FRAMES + RING_GUARD], right[ECHO_RIGHT_FRAMES + RING_GUARD];
    float tone[2][2];                // memories of what darkens, per way
    float level;                     // reached
};

// The limiter looks ahead so far; the rest of SYNTH_LOOKAHEAD is the saturation's.
enum { LIMITER_BLOCKS = SYNTH_LOOKAHEAD / CONTROL_FRAMES - 1 };

// Memories of the filters that every frame passes.
struct mastering_filters {
    float dc_in[2], dc_out[2];
    float tilt[2];                   // low part
    float side[2];                   // side high-pass
    float shelf[2][2], rumble[2][2]; // loudness weighting
    float before[2][3];              // frames that it still needs, the oldest first
};

enum { SATURATION_WAITS = CONTROL_FRAMES - HALF_BAND_KEPT };

// Per side: the last frames that came, and of what was bent those on the frames and those between them.
struct saturation {
    float in[2][HALF_BAND_KEPT], on[2][HALF_BAND_TAPS], between[2][HALF_BAND_KEPT];
    float out[2][SATURATION_WAITS];  // what waits for the next block
    float drive;                     // reached
};

struct mastering {
    float delay[LIMITER_BLOCKS][2][CONTROL_FRAMES];  // by block number modulo LIMITER_BLOCKS
    float block_gain[8];             // what each of the last blocks needs, newest last
    float limiter_gain;              // reached
    struct mastering_filters filters;
    float tilt_low, tilt_high;       // gains reached
    struct saturation saturation;
    float momentary, slow;           // mean square, weighted
    float servo_db, level_db;        // reached
    float servo_gain;                // of both, reached
};

struct mix_state {
    struct mix target, now;
    float step[LAYER_COUNT];         // of the layer gains, per block
    uint32_t blocks_left;            // of the ramp
    uint32_t taken;                  // a mix has come since the start
    uint32_t filling;                // blocks until the room may freeze
};
