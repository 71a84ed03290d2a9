// The sound of one programme at any frame: score and synthesiser put together, with bounded history (epochs).
//
// At each multiple of 10 minutes a second chain, started from silence and the score 60 s earlier, replaces the first by
// an amplitude-complementary fade of 2 s. So any frame can be reproduced from seed and log by rendering at most eleven
// minutes. State is one flat block without pointers.
//
// A station that nobody listens to sleeps, and nothing is rendered. Where the log says that it wakes the programme is a
// chain that was started from silence and the score 2 s earlier, until the next epoch takes over from it as ever.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "compose/compose.h"
#include "synth/synth.h"

#define PROGRAMME_EPOCH_FRAMES ((uint64_t)600 * FRAME_RATE)
#define PROGRAMME_WARMUP_FRAMES ((uint64_t)60 * FRAME_RATE)
#define PROGRAMME_FADE_FRAMES ((uint64_t)2 * FRAME_RATE)
#define PROGRAMME_WAKE_FRAMES ((uint64_t)2 * FRAME_RATE)

// What may be forgotten of the log when only `frame` and what comes after it is still to be rendered: what is older.
static inline uint64_t programme_past_frame(uint64_t frame)
{
    uint64_t past = PROGRAMME_EPOCH_FRAMES + PROGRAMME_WARMUP_FRAMES + PROGRAMME_FADE_FRAMES + COMPOSE_PAST_FRAMES;
    return frame > past ? frame - past : 0;
}

// How far ahead of its output a render looks into the log: rendering [.., to) reads entries before to + this.
enum { PROGRAMME_LOOKAHEAD = SYNTH_LOOKAHEAD };

struct programme;

// Bytes of its state, multiple of 64; the block must be aligned to 64 bytes.
size_t programme_bytes(void);
// The frame at which a render has to begin so that what it gives from `frame` on is exact, as far as the next waking.
uint64_t programme_begin_frame(const struct program *program, uint64_t frame);
// Stands at `frame`, which is a programme_begin_frame.
void programme_start(struct programme *programme, const struct program *program, uint64_t frame);
// The next frame that programme_render gives.
uint64_t programme_frame(const struct programme *programme);
// Renders `frames` frames, any number > 0, as interleaved stereo. The same samples however time is cut. No allocation,
// no lock, no system call.
void programme_render(struct programme *programme, const struct program *program, const struct backend *backend,
                      float *out, int frames);
// A snapshot is one part, or two while two chains are there; each has programme_part_bytes, a multiple of 64, and is
// aligned to 64 bytes. Restored in order into any programme, it goes on from there.
int programme_parts(const struct programme *programme);
size_t programme_part_bytes(void);
void programme_save(const struct programme *programme, int part, void *saved);
void programme_restore(struct programme *programme, int part, const void *saved);
// Blocks silenced because a value was not a number.
uint64_t programme_faults(const struct programme *programme);
// The renderer failed since programme_start: silence came from there on, and only programme_start makes it good.
bool programme_failed(const struct programme *programme);
float programme_servo_db(const struct programme *programme);
