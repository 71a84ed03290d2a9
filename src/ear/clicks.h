// Click detectors: one against a reference, one without.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Differential: largest absolute second difference of (captured - reference), both interleaved stereo; HUGE_VAL when
// something is not a number, 0 for less than 3 frames. A click is where it reaches CLICKS_DIFFERENCE_LIMIT. What both
// have in common from the first frame to the last (a constant offset, another gain on slow material) is none.
#define CLICKS_DIFFERENCE_LIMIT 5e-4
double clicks_difference(const float *captured, const float *reference, size_t frames);

enum {
    CLICKS_ONSET_BEFORE_FRAMES = 480,   // so far before a known onset
    CLICKS_ONSET_AFTER_FRAMES = 1200,   // and so far after it nothing is reported
};

struct click {
    uint64_t frame;     // within the material, where the high-passed sound is loudest
    double ratio;       // peak over the surroundings
};

// Without a reference: high-pass 14 kHz (127-tap Blackman), peak per 1 ms over the largest of 10-250 ms either side
// (floor -100 dBFS) > 3. Peaks less than 10 ms apart are one click. The first and the last 63 frames are not looked at
// by themselves: what comes before and after is not known. A sample that is not a number is a click of ratio HUGE_VAL.
//   onsets: frames of known onsets, ascending; what lies -10 .. +25 ms around one is not reported. May be NULL.
//   found: out, the first `cap` clicks, ascending. Returns how many there are in all; -1 when memory is short.
long clicks_find(const float *stereo, size_t frames, const uint64_t *onsets, size_t onset_count, struct click *found,
                 size_t cap);
