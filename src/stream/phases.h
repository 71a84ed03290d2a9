// How a loop's listeners are spread over the chunk period, so that no millisecond has more to send than another.
// Numbers in golden-ratio steps spread whoever comes (pace.h); but who goes leaves holes, and may leave a crowd.
// Then, rarely, one of the crowd is moved. One I/O loop's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/frames.h"

enum { PHASES_SLOTS = 20, PHASES_SLOT_FRAMES = CHUNK_FRAMES / PHASES_SLOTS };   // of 5 ms

struct phases {
    int counts[PHASES_SLOTS];
    int count;
    uint64_t moved_ns;           // when somebody was moved last
};

// phase_frames: 0 .. CHUNK_FRAMES - 1.
void phases_add(struct phases *phases, uint32_t phase_frames);
void phases_remove(struct phases *phases, uint32_t phase_frames);
// Whether the listener at this phase is to move, being one of a crowd: of more than twice as many as there would be if
// all were spread evenly, and four. Not more than one in 100 ms. True: *to_frames is its new phase, and it is counted
// there.
bool phases_move(struct phases *phases, uint32_t phase_frames, uint64_t now_ns, uint32_t *to_frames);
