#include "client/clock_map.h"

#include <math.h>
#include <stdlib.h>

#include "base/frames.h"

#define CLOCK_MAP_LIMIT_MS 4e12
#define CLOCK_MAP_YEAR_NS (INT64_C(366) * 86400 * (int64_t)NS_PER_SECOND)

bool clock_map_tells(double server_ms)
{
    return fabs(server_ms) <= CLOCK_MAP_LIMIT_MS;
}

static int64_t clock_map_ns(double ms)
{
    return (int64_t)(ms * (double)NS_PER_MS);
}

void clock_map_guess(struct clock_map *map, double server_ms, uint64_t local_ns)
{
    if (map->count > 0)
        return;
    map->offset_ns = (int64_t)local_ns - clock_map_ns(server_ms);
    map->round_trip_ns = UINT64_MAX;
    map->known = true;
}

void clock_map_sample(struct clock_map *map, uint64_t sent_ns, double t1_ms, double t2_ms, uint64_t received_ns)
{
    int64_t t1 = clock_map_ns(t1_ms), t2 = clock_map_ns(t2_ms);
    if (received_ns < sent_ns || t2 < t1)
        return;
    uint64_t away = received_ns - sent_ns, held = (uint64_t)(t2 - t1);
    unsigned slot = map->count++ % CLOCK_MAP_SAMPLES;
    map->samples[slot].round_trip_ns = away > held ? away - held : 0;
    map->samples[slot].offset_ns = (int64_t)(sent_ns + away / 2) - (t1 + (int64_t)(held / 2));
    unsigned filled = map->count < CLOCK_MAP_SAMPLES ? map->count : CLOCK_MAP_SAMPLES, best = 0;
    for (unsigned i = 1; i < filled; i++)
        if (map->samples[i].round_trip_ns < map->samples[best].round_trip_ns)
            best = i;
    map->offset_ns = map->samples[best].offset_ns;
    map->round_trip_ns = map->samples[best].round_trip_ns;
    map->known = true;
}

int64_t clock_map_local_ns(const struct clock_map *map, double server_ms)
{
    return clock_map_ns(server_ms) + map->offset_ns;
}

bool clock_map_due(const struct clock_map *map, double server_ms, int64_t now_ns, int64_t *due_ns)
{
    if (!clock_map_tells(server_ms))
        return false;
    *due_ns = map->known ? clock_map_local_ns(map, server_ms) : now_ns;
    return llabs(*due_ns - now_ns) <= CLOCK_MAP_YEAR_NS;
}
