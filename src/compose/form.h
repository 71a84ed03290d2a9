// Form: super-sections of 20 minutes, each split by hash into sections of 2 to 10 minutes. Constant time at any frame.
#pragma once
#include <stdint.h>

// How a section differs from its neighbours.
struct palette {
    char name[24];
    double density;       // factor on the number of melody notes, .85 .. 1.2
    int reach;            // semitones that the melody lies higher
    double brightness;    // added to the mix
    double space;         // added to the mix
    double attack_s;      // of pads
};

struct section {
    uint64_t from, to;    // frames, multiples of 4,800
    uint32_t index;       // sections since frame 0
    const struct palette *palette;
};

struct section section_at(uint64_t seed, uint64_t frame);
