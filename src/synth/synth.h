// Notes to stereo sound. All state is one flat block without pointers: snapshot and restore are memcpy.
//
// Time runs in control blocks of 64 frames at absolute multiples of 64; a block is always computed whole, so no call
// can depend on how its caller cuts time. A frame number means output: the limiter looks SYNTH_LOOKAHEAD frames ahead,
// so a block's notes are needed that much earlier than its sound comes out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "score/event.h"
#include "synth/backend.h"

enum {
    SYNTH_LOOKAHEAD = 320,     // frames, multiple of 64
};

// Bytes of one chain's state, a multiple of 64. The block must be aligned to 64 bytes.
size_t synth_bytes(void);
// Silence. The first block of input is [frame, frame + 64), frame a multiple of 64; the first block that synth_render
// gives is the output of [frame - SYNTH_LOOKAHEAD, ...).
void synth_start(void *state, uint64_t frame);
// The frame at which the next block of input begins.
uint64_t synth_input_frame(const void *state);
// Renders `blocks` control blocks. Sets flush-to-zero for the time of the call. No allocation, no lock, no system call.
//   events: ordered; those with at_frame before the end of the input rendered here, older ones count as now; but a note
//           that is held has the phase that it would have by then. Kinds that are not sound (chord, section) are passed
//           over.
//   out: blocks x 64 frames, interleaved stereo, within -1..1.
// Not a number anywhere becomes silence and is counted (synth_faults). A renderer that fails leaves silence from its
// block on (synth_failed).
void synth_render(const struct backend *backend, void *state, const struct event *events, int event_count, float *out,
                  int blocks);
// Blocks in which a value that is not a number was found and silenced.
uint64_t synth_faults(const void *state);
// The renderer failed since synth_start.
bool synth_failed(const void *state);
// Loudness servo's present gain in dB, for metrics.
float synth_servo_db(const void *state);
