// How a loop's listeners are spread over the longest delivery, so that no millisecond has more to send than another.
// Numbers in golden-ratio steps spread whoever comes (pace.h); but who goes leaves holes, and may leave a crowd.
// Then, rarely, one of the crowd is moved. One I/O loop's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "wire/delivery.h"

enum { PHASES_SLOT_FRAMES = CHUNK_FRAMES / 20, PHASES_SLOTS = DELIVERY_MOST_FRAMES / PHASES_SLOT_FRAMES };   // of 5 ms

struct phases {
    int counts[PHASES_SLOTS];    // sends
    int count;
    uint64_t moved_ns;           // when somebody was moved last
};

// delivery_frames: as delivery.h has it; one send falls into each.   phase_frames: 0 .. delivery_frames - 1.
void phases_add(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames);
void phases_remove(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames);
// Whether the listener at this phase is to move, being one of a crowd: of more than twice as many as there would be if
// all were spread evenly, and four. Not more than one in 100 ms. True: *to_frames is its new phase, and it is counted
// there.
bool phases_move(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames, uint64_t now_ns,
                 uint32_t *to_frames);
