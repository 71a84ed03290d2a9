// The score: a pure function of seed, control log and frame range. No state, no clock; any thread; seekable in bounded
// time: composing a frame never composes what came before the section that holds it.
#pragma once
#include <stdint.h>

#include "base/frames.h"
#include "score/event.h"
#include "score/mood_log.h"

struct program {
    uint64_t seed;
    const struct mood_log *log;
};

enum { COMPOSE_MAX_EVENTS = 256 };

// How far back composing a frame looks into the log: a section begins so much earlier at most, and the chord that sounds
// then. Of older entries the last one is enough (mood_log_forget).
#define COMPOSE_PAST_FRAMES ((uint64_t)30 * 60 * FRAME_RATE)

// Events with from <= at_frame < to, ordered by frame, then kind, then id.
//   from, to: multiples of 64, to - from <= 4,800.   out: room for COMPOSE_MAX_EVENTS. Returns how many.
// Causal: an event at frame f depends on log entries with at_frame <= f only. Additive: composing [a, c) gives the same
// as [a, b) and [b, c). More than COMPOSE_MAX_EVENTS in a range do not happen (tested); they would be cut off.
int compose_events(const struct program *program, uint64_t from, uint64_t to, struct event *out);
// What a chain that starts from silence at `frame` must be told: one EVENT_MIX, then, ordered as above, the chord that
// began last before `frame` and an EVENT_NOTE_ON for each note that began before it and has not ended before it, then
// the section that began last before it; each keeps the at_frame at which it really happened, except the mix, which
// carries `frame`. What happens at `frame` itself comes from compose_events. At frame 0: the mix alone.
//   out: room for COMPOSE_MAX_EVENTS. Returns how many.
int compose_sounding(const struct program *program, uint64_t frame, struct event *out);
// Entropy of the chord chain in bits per chord change, rows weighted by how often they are visited: of the plain table
// of five chords at variety 0.
double compose_chord_entropy(const struct mood *mood);
