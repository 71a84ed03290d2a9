#include "app/pressure.h"

void pressure_init(struct pressure *pressure, uint64_t reserve_bytes, uint64_t calm_ns)
{
    *pressure = (struct pressure){.reserve_bytes = reserve_bytes, .calm_ns = calm_ns, .calm_since_ns = UINT64_MAX};
}

// Below this, a level is in force.
static uint64_t pressure_threshold(const struct pressure *pressure, enum pressure_level level)
{
    return level == PRESSURE_SHORT ? pressure->reserve_bytes : pressure->reserve_bytes / 2;
}

static bool pressure_rises(const struct pressure *pressure, uint64_t headroom_bytes)
{
    return pressure->level < PRESSURE_VERY_SHORT &&
           headroom_bytes < pressure_threshold(pressure, pressure->level + 1);
}

// A quarter above its threshold, so that a level does not come and go.
static bool pressure_is_calm(const struct pressure *pressure, uint64_t headroom_bytes)
{
    uint64_t threshold = pressure_threshold(pressure, pressure->level);
    return pressure->level > PRESSURE_NONE && headroom_bytes >= threshold + threshold / 4;
}

bool pressure_look(struct pressure *pressure, uint64_t headroom_bytes, uint64_t now_ns)
{
    if (pressure_rises(pressure, headroom_bytes)) {
        pressure->level++;
        pressure->calm_since_ns = UINT64_MAX;
        return true;
    }
    if (!pressure_is_calm(pressure, headroom_bytes)) {
        pressure->calm_since_ns = UINT64_MAX;
        return false;
    }
    if (pressure->calm_since_ns == UINT64_MAX)
        pressure->calm_since_ns = now_ns;
    if (now_ns - pressure->calm_since_ns < pressure->calm_ns)
        return false;
    pressure->level--;
    pressure->calm_since_ns = now_ns;
    return true;
}

const char *pressure_name(enum pressure_level level)
{
    static const char *const names[PRESSURE_LEVELS] = {"none", "short", "very short"};
    return names[level];
}
