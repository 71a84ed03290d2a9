// How short memory is: a level that rises with what is missing, a step at a look, and falls again, a step at a time,
// after it has been calm for long enough. Pure.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum pressure_level {
    PRESSURE_NONE,
    PRESSURE_SHORT,       // nobody new is let in
    PRESSURE_VERY_SHORT,  // and the lead is lowered
    PRESSURE_LEVELS,
};

struct pressure {
    uint64_t reserve_bytes;     // short below this, very short below half of it; 0: never
    uint64_t calm_ns;           // how long memory has to be there before a step down
    enum pressure_level level;
    uint64_t calm_since_ns;     // since when it has been; UINT64_MAX: it is not
};

void pressure_init(struct pressure *pressure, uint64_t reserve_bytes, uint64_t calm_ns);
// Looks at what may still be taken. True when the level has changed.
bool pressure_look(struct pressure *pressure, uint64_t headroom_bytes, uint64_t now_ns);
// "none", "short", "very short".
const char *pressure_name(enum pressure_level level);
