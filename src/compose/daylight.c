#include "compose/daylight.h"

#include "base/frames.h"

enum { DEEPEST_MINUTE = 3 * 60 };

double daylight_at(const struct program *program, uint64_t frame, const struct mood *mood)
{
    const uint64_t day = (uint64_t)DAY_MINUTES * 60 * FRAME_RATE;
    if (!mood->follow_day)
        return 0.5;
    uint64_t minutes = (uint64_t)(program->log->head.begin_minute + DAY_MINUTES - DEEPEST_MINUTE) % DAY_MINUTES;
    double share = (double)((frame + minutes * 60 * FRAME_RATE) % day) / (double)day;
    double height = share < 0.5 ? 2.0 * share : 2.0 - 2.0 * share;
    return height * height * (3.0 - 2.0 * height);
}
