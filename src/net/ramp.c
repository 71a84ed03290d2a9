#include "net/ramp.h"

void ramp_init(struct ramp *ramp, uint32_t per_second, uint64_t now_ms)
{
    uint32_t at_once = per_second < 10 ? 1 : per_second / 10;
    *ramp = (struct ramp){.per_second = per_second, .since_ms = now_ms};
    ramp->credit = ramp->max_credit = at_once * RAMP_WHOLE;
}

// Per millisecond a thousandth of the rate, and one costs a thousand: the numbers are whole.
static void ramp_earn(struct ramp *ramp, uint64_t now_ms)
{
    uint64_t ms = now_ms > ramp->since_ms ? now_ms - ramp->since_ms : 0;
    uint32_t missing = ramp->max_credit - ramp->credit;
    ramp->credit += ms >= missing / ramp->per_second + 1 ? missing : (uint32_t)ms * ramp->per_second;
    if (ramp->credit > ramp->max_credit)
        ramp->credit = ramp->max_credit;
    if (now_ms > ramp->since_ms)
        ramp->since_ms = now_ms;
}

bool ramp_take(struct ramp *ramp, uint64_t now_ms)
{
    if (ramp->per_second == 0)
        return true;
    ramp_earn(ramp, now_ms);
    if (ramp->credit < RAMP_WHOLE)
        return false;
    ramp->credit -= RAMP_WHOLE;
    return true;
}
