// A bar on standard error, for people: ten times a second at most, nothing when it is no terminal.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "os/clock.h"

struct progress {
    struct clock clock;
    uint64_t shown_ns;
    bool wanted, shown;
};

void progress_init(struct progress *progress, bool quiet);
// share: 0 .. 1.
void progress_show(struct progress *progress, double share);
// Takes the bar away.
void progress_clear(struct progress *progress);
