// How many are let in within a time: a rate, and so many at once. Pure: the times are the caller's, in milliseconds.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { RAMP_WHOLE = 1000 };   // credit that one costs

struct ramp {
    uint32_t per_second;      // 0: no limit
    uint32_t credit, max_credit;
    uint64_t since_ms;        // up to when credit has been given
};

// Begins with all credit there is: a tenth of a second of the rate, one at least.
void ramp_init(struct ramp *ramp, uint32_t per_second, uint64_t now_ms);
// Lets one in. False when it has to wait.
bool ramp_take(struct ramp *ramp, uint64_t now_ms);
