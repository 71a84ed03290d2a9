#include "wire/lead.h"

#include "base/frames.h"

enum { LEAD_STEP_FRAMES = CHUNK_FRAMES / 2 };

uint64_t lead_at(const struct lead *lead, uint64_t frame)
{
    int64_t missing = lead->missing;
    if (missing != 0 && frame >= lead->from_frame) {
        uint64_t steps = (frame - lead->from_frame) / CHUNK_FRAMES + 1;
        uint64_t size = (uint64_t)(missing < 0 ? -missing : missing);
        int64_t moved = steps < size / LEAD_STEP_FRAMES + 1 ? (int64_t)(steps * LEAD_STEP_FRAMES) : (int64_t)size;
        moved = (uint64_t)moved < size ? moved : (int64_t)size;
        missing -= missing < 0 ? -moved : moved;
    }
    return (uint64_t)((int64_t)lead->frames + missing);
}

void lead_move(struct lead *lead, uint64_t frames, uint64_t from_frame)
{
    uint64_t before = lead_at(lead, from_frame < CHUNK_FRAMES ? 0 : from_frame - CHUNK_FRAMES);
    *lead = (struct lead){.frames = frames, .missing = (int64_t)before - (int64_t)frames, .from_frame = from_frame};
}
