// The longest of the three time scales: what comes and goes within an hour or two, too slowly to be noticed.
#pragma once
#include <stdint.h>

struct hours {
    double density;       // factor on the number of melody notes, .82 .. 1.18
    double reach;         // semitones that the melody lies higher, -3.5 .. 3.5
    double brightness;    // added to the mix, -.1 .. .1
    double space;         // added to the mix, -.1 .. .1
};

// Slow curves, all of the seed and the frame. Their periods have no common multiple within a year.
struct hours hours_at(uint64_t seed, uint64_t frame);
