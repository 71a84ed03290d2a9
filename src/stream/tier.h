// How much old clients buffer: four tiers, and a meter that says when to move between them.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum tier { TIER_MINIMAL, TIER_NORMAL, TIER_STABLE, TIER_DEFENSIVE, TIER_COUNT };

enum { TIER_WINDOW = 50 };   // chunks between two looks, and over which underruns are counted

// "minimal" .. "defensive".
const char *tier_name(enum tier tier);
// False when there is no such tier.
bool tier_from_name(const char *name, enum tier *tier);
// What the client is meant to hold: 300, 500, 800 or 1200 ms.
uint32_t tier_target_ms(enum tier tier);

// Estimated from when a client's socket accepts chunks. All zero: nothing seen yet.
struct tier_meter {
    double jitter_ms, variance;   // moving average of |interval - 100 ms|, and of its square about it
    uint64_t last_ns;             // when the last chunk was accepted; 0: the next interval does not count
    uint64_t late;                // bit n: the chunk n before the last was an underrun
    int seen;                     // chunks since the last look
    int filled;                   // chunks in the window, at most TIER_WINDOW
};

// A chunk was accepted. Returns the interval's jitter in nanoseconds, 0 for the first one.
uint64_t tier_meter_accept(struct tier_meter *meter, uint64_t now_ns, bool underrun);
// The next interval does not count: what is sent is about to be moved.
void tier_meter_break(struct tier_meter *meter);
// Share of underruns in the window, 0..1.
double tier_meter_underrun_rate(const struct tier_meter *meter);
// Mean and standard deviation of the jitter together.
double tier_meter_spread_ms(const struct tier_meter *meter);
// Every TIER_WINDOW chunks: the tier next to `tier` when it should move, else `tier`.
enum tier tier_meter_look(struct tier_meter *meter, enum tier tier);
// "healthy", "warning" or "critical".
const char *tier_meter_health(const struct tier_meter *meter);
