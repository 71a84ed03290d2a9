#include "compose/hours.h"

#include "base/frames.h"
#include "compose/noise.h"
#include "compose/purpose.h"

#define MINUTES(n) ((uint64_t)(n) * 60 * FRAME_RATE)

// -1 .. 1
static double hours_wave(uint64_t seed, enum purpose purpose, uint64_t frame, uint64_t period)
{
    return 2.0 * noise_at(seed, purpose, frame, period) - 1.0;
}

struct hours hours_at(uint64_t seed, uint64_t frame)
{
    return (struct hours){
        .density = 1.0 + 0.18 * hours_wave(seed, PURPOSE_HOURS_DENSITY, frame, MINUTES(41)),
        .reach = 3.5 * hours_wave(seed, PURPOSE_HOURS_REACH, frame, MINUTES(53)),
        .brightness = 0.1 * hours_wave(seed, PURPOSE_HOURS_BRIGHTNESS, frame, MINUTES(47)),
        .space = 0.1 * hours_wave(seed, PURPOSE_HOURS_SPACE, frame, MINUTES(67)),
    };
}
