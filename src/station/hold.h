// What is heard when music cannot be rendered in time: the sound that was there rings on in a reverb and fades to
// silence within ten seconds. A pure function of the audio that it takes up. No allocation, no lock.
//
// At either end nothing is cut: linear prediction carries the last sound on while the reverb takes over, and the music
// that comes back is faded in over its first chunk.
#pragma once
#include <stddef.h>

#include "station/audio.h"

enum { HOLD_FADE_FRAMES = 10 * FRAME_RATE };

struct hold;

// NULL when memory is short.
struct hold *hold_create(void);
// Accepts NULL.
void hold_destroy(struct hold *hold);
// Takes up the sound at the end of the audio, of which a chunk at least must be there. Some milliseconds of work.
void hold_begin(struct hold *hold, const struct audio *audio);
// The next chunk: CHUNK_FRAMES frames, interleaved stereo, within -1..1.
void hold_next(struct hold *hold, float *chunk);
// As hold_next, but `chunk` holds the music that comes back: it is faded in over what is held.
void hold_end(struct hold *hold, float *chunk);
size_t hold_bytes(void);
