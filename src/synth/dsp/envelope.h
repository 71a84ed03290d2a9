// Envelopes and the life of notes on one group of lanes, once a block. Levels are joined by straight lines inside it.
#pragma once
#include "synth/dsp/math.h"
#include "synth/state.h"

// A note that takes a lane which still sounds waits until the old one has gone in this many blocks (10.7 ms).
enum { LANE_ROOM_BLOCKS = 8 };

// What a block needs to know of its lanes.
struct lane_block {
    alignas(64) uint32_t lives[LANES]; // all bits: its state is needed after this block
    alignas(64) float loudness[LANES]; // at its end: envelope, velocity and the gain of the note's layer
    alignas(64) uint32_t age[LANES];   // blocks since its note began
    uint64_t number;                   // of the block since frame 0; who counts in 32 bits takes it modulo 2^32
    uint32_t sounding;                 // bit n: lane n has to be rendered
    uint32_t started;                  // bit n: lane n begins a note, its instrument has to be set up
};

// Seed of everything about a note that is left to chance.
INLINE uint32_t note_seed(uint64_t id)
{
    uint64_t x = (id + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(x >> 32) | 1;
}

INLINE void lane_start(struct lanes *l, int n)
{
    struct lane_notes *now = &l->now;
    const struct lane_notes *next = &l->next;
    now->id[n] = next->id[n];
    now->begin_frame[n] = next->begin_frame[n];
    now->end_frame[n] = next->end_frame[n];
    now->pitch[n] = next->pitch[n];
    now->velocity[n] = next->velocity[n];
    now->pan[n] = next->pan[n];
    now->brightness[n] = next->brightness[n];
    now->attack_s[n] = next->attack_s[n];
    now->release_s[n] = next->release_s[n];
    now->layer[n] = next->layer[n];
    l->waiting[n] = 0;
    l->stage[n] = LANE_ATTACKS;
    l->ramp[n] = 0;
    l->level[n] = 0;
    l->step[n] = (float)CONTROL_FRAMES / FRAME_RATE / now->attack_s[n];
}

// Goes as it came: a chord that gives way to the next leaves no hole between them.   step: per block.
INLINE void lane_leave(struct lanes *l, int n, enum lane_stage stage, float step)
{
    l->stage[n] = stage;
    l->ramp[n] = 1.0f;
    l->top[n] = l->level[n];
    l->step[n] = step;
}

// Moves from stage to stage at the beginning of a block. True when a note begins.
INLINE int lane_turn(struct lanes *l, int n, uint64_t frame)
{
    if (l->stage[n] >= LANE_RELEASES && l->level[n] == 0)
        l->stage[n] = LANE_RESTS;
    if (l->waiting[n] && l->stage[n] == LANE_RESTS) {
        lane_start(l, n);
        return 1;
    }
    if (l->waiting[n] && l->stage[n] != LANE_MAKES_ROOM)
        lane_leave(l, n, LANE_MAKES_ROOM, 1.0f / LANE_ROOM_BLOCKS);
    int sustained = l->stage[n] == LANE_ATTACKS || l->stage[n] == LANE_HOLDS;
    if (sustained && l->now.end_frame[n] && frame >= l->now.end_frame[n])
        lane_leave(l, n, LANE_RELEASES, (float)CONTROL_FRAMES / FRAME_RATE / l->now.release_s[n]);
    return 0;
}

// The level at the end of the block.
INLINE float lane_level(struct lanes *l, int n)
{
    switch (l->stage[n]) {
    case LANE_ATTACKS:
        l->ramp[n] += l->step[n];
        if (l->ramp[n] < 1.0f)
            return smooth_of(l->ramp[n]);
        l->stage[n] = LANE_HOLDS;
        return 1.0f;
    case LANE_HOLDS:
        return 1.0f;
    case LANE_RELEASES:
    case LANE_MAKES_ROOM:
        l->ramp[n] -= l->step[n];
        return l->ramp[n] > 0 ? l->top[n] * smooth_of(l->ramp[n]) : 0;
    default:
        return 0;
    }
}

INLINE void lanes_advance(struct lanes *l, uint64_t frame, const struct mix *mix, struct lane_block *b)
{
    b->number = frame / CONTROL_FRAMES;
    b->sounding = b->started = 0;
    for (int n = 0; n < LANES; n++) {
        b->started |= (uint32_t)lane_turn(l, n, frame) << n;
        l->level[n] = lane_level(l, n);
        b->age[n] = (uint32_t)(b->number - l->now.begin_frame[n] / CONTROL_FRAMES);
        b->loudness[n] = l->level[n] * l->now.velocity[n] * mix->gain[l->now.layer[n]];
        int sounds = l->stage[n] != LANE_RESTS;
        int ends = l->stage[n] >= LANE_RELEASES && l->level[n] == 0;
        b->sounding |= (uint32_t)sounds << n;
        b->lives[n] = sounds && !ends ? UINT32_MAX : 0;
    }
}

// True when nothing sounds and no note waits: the block would leave the lanes as they are.
INLINE int lanes_sleep(const struct lanes *l)
{
    uint32_t busy = 0;
    for (int n = 0; n < LANES; n++)
        busy |= l->stage[n] | l->waiting[n];
    return !busy;
}

// True when none of the SYNTH_WIDTH lanes from `first` on sounds.
INLINE int lanes_rest(const struct lane_block *b, int first)
{
    return !((b->sounding >> first) & ((1u << SYNTH_WIDTH) - 1));
}

// All bits in the lanes whose note begins with this block.
INLINE vu lanes_started(const struct lane_block *b, int first)
{
    alignas(64) uint32_t bits[SYNTH_WIDTH];
    for (int n = 0; n < SYNTH_WIDTH; n++)
        bits[n] = b->started >> (first + n) & 1;
    return vu_nonzero(vu_load(bits));
}
