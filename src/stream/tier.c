#include "stream/tier.h"

#include <math.h>
#include <string.h>

#include "base/frames.h"

static const double TIER_ALPHA = 0.1;
static const double TIER_UP_MS = 50, TIER_DOWN_MS = 20;
static const double TIER_UP_RATE = 0.05, TIER_DOWN_RATE = 0.01;

static const struct {
    const char *name;
    uint32_t target_ms;
} tiers[TIER_COUNT] = {
    [TIER_MINIMAL] = {"minimal", 300},
    [TIER_NORMAL] = {"normal", 500},
    [TIER_STABLE] = {"stable", 800},
    [TIER_DEFENSIVE] = {"defensive", 1200},
};

const char *tier_name(enum tier tier)
{
    return tiers[tier].name;
}

bool tier_from_name(const char *name, enum tier *tier)
{
    for (int i = 0; i < TIER_COUNT; i++) {
        if (strcmp(name, tiers[i].name) == 0) {
            *tier = (enum tier)i;
            return true;
        }
    }
    return false;
}

uint32_t tier_target_ms(enum tier tier)
{
    return tiers[tier].target_ms;
}

// Moving average of value and variance. Source: T. Finch, Incremental calculation of weighted mean and variance (2009).
static void tier_meter_add(struct tier_meter *meter, double jitter_ms)
{
    double difference = jitter_ms - meter->jitter_ms;
    double step = TIER_ALPHA * difference;
    meter->jitter_ms += step;
    meter->variance = (1 - TIER_ALPHA) * (meter->variance + difference * step);
}

uint64_t tier_meter_accept(struct tier_meter *meter, uint64_t now_ns, bool underrun)
{
    const uint64_t period_ns = 100 * NS_PER_MS;
    uint64_t jitter_ns = 0;
    if (meter->last_ns != 0) {
        uint64_t interval = now_ns - meter->last_ns;
        jitter_ns = interval > period_ns ? interval - period_ns : period_ns - interval;
        tier_meter_add(meter, (double)jitter_ns / (double)NS_PER_MS);
    }
    meter->last_ns = now_ns;
    meter->late = meter->late << 1 | underrun;
    meter->seen++;
    if (meter->filled < TIER_WINDOW)
        meter->filled++;
    return jitter_ns;
}

void tier_meter_break(struct tier_meter *meter)
{
    meter->last_ns = 0;
}

double tier_meter_underrun_rate(const struct tier_meter *meter)
{
    uint64_t window = meter->late & ((UINT64_C(1) << TIER_WINDOW) - 1);
    return meter->filled > 0 ? (double)__builtin_popcountll(window) / meter->filled : 0;
}

double tier_meter_spread_ms(const struct tier_meter *meter)
{
    return meter->jitter_ms + sqrt(meter->variance);
}

enum tier tier_meter_look(struct tier_meter *meter, enum tier tier)
{
    if (meter->seen < TIER_WINDOW)
        return tier;
    meter->seen = 0;
    double rate = tier_meter_underrun_rate(meter), spread = tier_meter_spread_ms(meter);
    if (tier < TIER_DEFENSIVE && (spread > TIER_UP_MS || rate > TIER_UP_RATE))
        return tier + 1;
    if (tier > TIER_MINIMAL && spread < TIER_DOWN_MS && rate < TIER_DOWN_RATE)
        return tier - 1;
    return tier;
}

const char *tier_meter_health(const struct tier_meter *meter)
{
    double rate = tier_meter_underrun_rate(meter);
    if (rate > TIER_UP_RATE)
        return "critical";
    return rate >= TIER_DOWN_RATE || tier_meter_spread_ms(meter) > TIER_UP_MS ? "warning" : "healthy";
}
