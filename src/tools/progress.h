// How far a long piece of work is, on one line of a terminal, for people:
//   [##########              ]  42 %  4:12 of 10:00  312 x real time  0:01 left
// Drawn ten times a second at most, as wide as the terminal allows, and taken away at the end. Nothing is written when
// it is no terminal. One thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "os/clock.h"

enum progress_kind {
    PROGRESS_SOUND,   // seconds of sound
    PROGRESS_STEPS,   // things that are counted
};

struct progress {
    const struct clock *clock;
    int descriptor;
    bool wanted;
    enum progress_kind kind;
    double total;
    uint64_t start_ns, shown_ns;
    int width;        // columns that the line takes; 0: there is none
};

// descriptor: where to, STDERR_FILENO as a rule.   clock: outlives it.   quiet: never draw.
void progress_init(struct progress *progress, const struct clock *clock, int descriptor, bool quiet);
// A piece of work begins; another may have ended before.   total: 0 or more.
void progress_begin(struct progress *progress, enum progress_kind kind, double total);
// done: 0 .. total, of this piece.
void progress_show(struct progress *progress, double done);
// Takes the line away, so that something else can be written. The next progress_show brings it back.
void progress_clear(struct progress *progress);
