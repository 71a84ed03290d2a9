#include "stream/phases.h"

#include "base/check.h"

enum { PHASES_FEW = 4 };

#define PHASES_REST_NS (100 * NS_PER_MS)

static int phases_slot(uint32_t phase_frames)
{
    check(phase_frames < DELIVERY_MOST_FRAMES);
    return (int)(phase_frames / PHASES_SLOT_FRAMES);
}

// How many there are of the listener's sends.   more: 1 or -1.
static void phases_count(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames, int more)
{
    check(phase_frames < delivery_frames);
    for (uint32_t at = phase_frames; at < DELIVERY_MOST_FRAMES; at += delivery_frames) {
        int *here = &phases->counts[phases_slot(at)];
        *here += more;
        phases->count += more;
        check(*here >= 0);
    }
}

void phases_add(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames)
{
    phases_count(phases, phase_frames, delivery_frames, 1);
}

void phases_remove(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames)
{
    phases_count(phases, phase_frames, delivery_frames, -1);
}

// The most in any of the slots that a listener's sends fall into, by the first of them.
static int phases_most(const struct phases *phases, int slot, uint32_t delivery_frames)
{
    int most = 0;
    for (; slot < PHASES_SLOTS; slot += (int)(delivery_frames / PHASES_SLOT_FRAMES))
        most = phases->counts[slot] > most ? phases->counts[slot] : most;
    return most;
}

static int phases_emptiest(const struct phases *phases, uint32_t delivery_frames)
{
    int best = 0;
    for (int i = 1; i < (int)(delivery_frames / PHASES_SLOT_FRAMES); i++)
        if (phases_most(phases, i, delivery_frames) < phases_most(phases, best, delivery_frames))
            best = i;
    return best;
}

bool phases_move(struct phases *phases, uint32_t phase_frames, uint32_t delivery_frames, uint64_t now_ns,
                 uint32_t *to_frames)
{
    int here = phases_most(phases, phases_slot(phase_frames), delivery_frames);
    if (here * PHASES_SLOTS <= 2 * phases->count + PHASES_FEW * PHASES_SLOTS ||
        now_ns - phases->moved_ns < PHASES_REST_NS)
        return false;
    // Its place within the slot stays, so that those who move into one slot are spread in it as they were before.
    uint32_t to = (uint32_t)(phases_emptiest(phases, delivery_frames) * PHASES_SLOT_FRAMES);
    *to_frames = to + phase_frames % PHASES_SLOT_FRAMES;
    phases->moved_ns = now_ns;
    phases_remove(phases, phase_frames, delivery_frames);
    phases_add(phases, *to_frames, delivery_frames);
    return true;
}
