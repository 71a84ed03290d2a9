// For tests: what clients of v1 and v0 have in common.
#pragma once
#include "stream/rig.h"

// The first listener of a stream has phase 0, so its first chunk is the one after the live playhead.
#define LEGACY_FIRST_FRAME (RIG_LIVE_CHUNK + CHUNK_FRAMES)

// With the defaults, a virtual clock, a chunk before the live one, and so many from it on.
void legacy_rig_begin(struct rig *rig, int chunks);
// As above, and a first guest.   small: as in guest_open.
void legacy_rig_open(struct rig *rig, struct guest *guest, int chunks, const char *target, bool small);
// The next audio message holds the chunk of that frame. Returns it, the caller's to free.
json_t *legacy_expect_audio(struct guest *guest, uint64_t frame, int sequence);
// The next audio message leads over: it fades from what the chunk of that frame is in one generation to what it is in
// another.
void legacy_expect_join(struct guest *guest, uint64_t frame, uint32_t from_generation, uint32_t to_generation);
// Publishes chunks of another generation from `from` on, and expects that one from now on.
void legacy_publish_other(struct rig *rig, uint64_t from, int count, uint32_t generation);
// The next message is the answer to a ping: nothing else was to come.
void legacy_expect_silence(struct guest *guest);
// Begins and hears its first second, so that it is no newcomer any more. Returns the next frame that it is owed.
uint64_t legacy_hear_a_second(struct rig *rig, struct guest *guest);
// Unix time in seconds at which a chunk is due for a listener of phase 0.
double legacy_due_s(uint64_t frame, int target_ms);
