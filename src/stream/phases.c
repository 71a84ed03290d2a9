#include "stream/phases.h"

#include "base/check.h"

enum { PHASES_FEW = 4 };

#define PHASES_REST_NS (100 * NS_PER_MS)

static int phases_slot(uint32_t phase_frames)
{
    check(phase_frames < CHUNK_FRAMES);
    return (int)(phase_frames / PHASES_SLOT_FRAMES);
}

void phases_add(struct phases *phases, uint32_t phase_frames)
{
    phases->counts[phases_slot(phase_frames)]++;
    phases->count++;
}

void phases_remove(struct phases *phases, uint32_t phase_frames)
{
    int *here = &phases->counts[phases_slot(phase_frames)];
    check(*here > 0);
    --*here;
    phases->count--;
}

static int phases_emptiest(const struct phases *phases)
{
    int best = 0;
    for (int i = 1; i < PHASES_SLOTS; i++)
        if (phases->counts[i] < phases->counts[best])
            best = i;
    return best;
}

bool phases_move(struct phases *phases, uint32_t phase_frames, uint64_t now_ns, uint32_t *to_frames)
{
    int from = phases_slot(phase_frames);
    if (phases->counts[from] * PHASES_SLOTS <= 2 * phases->count + PHASES_FEW * PHASES_SLOTS ||
        now_ns - phases->moved_ns < PHASES_REST_NS)
        return false;
    // Its place within the slot stays, so that those who move into one slot are spread in it as they were before.
    *to_frames = (uint32_t)(phases_emptiest(phases) * PHASES_SLOT_FRAMES) + phase_frames % PHASES_SLOT_FRAMES;
    phases->moved_ns = now_ns;
    phases_remove(phases, phase_frames);
    phases_add(phases, *to_frames);
    return true;
}
