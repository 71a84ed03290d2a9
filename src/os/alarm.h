// A descriptor that becomes readable at a time, to some microseconds: for a loop that waits for sockets by the
// millisecond. One thread, but for what `os/clock.h` says of clocks.
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "os/clock.h"

struct alarm {
    int descriptor;   // to be watched for reading, not to be read
};

// Errors: STATUS_IO, no descriptor is left.
MUST_USE enum status alarm_init(struct alarm *alarm);
void alarm_finish(struct alarm *alarm);
// Readable from at_ns of the clock on, and no longer from what was set before; at once when that has passed.
//   at_ns: UINT64_MAX: never.
// A clock that is not real has a grain of a real millisecond: a fast one, so that nobody wakes all the time; a virtual
// one, which moves without telling, so that whoever waits asks it again.
void alarm_set(const struct alarm *alarm, const struct clock *clock, uint64_t at_ns);
