// Click detectors (doc/sound.md): one against a reference, one without.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Differential: largest absolute second difference of (captured - reference), both interleaved stereo.
// A click is where it reaches CLICKS_DIFFERENCE_LIMIT.
#define CLICKS_DIFFERENCE_LIMIT 5e-4
double clicks_difference(const float *captured, const float *reference, size_t frames);

struct click {
    uint64_t frame;     // within the material
    double ratio;       // peak over the surroundings
};

// Without a reference: high-pass 14 kHz (127-tap Blackman), peak per 1 ms over the largest of 10-250 ms either side
// (floor -100 dBFS) > 3.
//   onsets: frames of known onsets, ascending; -10 .. +25 ms around each is masked. May be NULL.
//   found: out, the first `cap` clicks. Returns how many there are in all; -1 when memory is short.
long clicks_find(const float *stereo, size_t frames, const uint64_t *onsets, size_t onset_count, struct click *found,
                 size_t cap);
