// The server's time on this machine's clock, learnt from round trips: the shortest of the last ones is believed, since
// it leaves the least room for doubt (half of it).
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_MAP_SAMPLES = 16 };

struct clock_map {
    struct {
        uint64_t round_trip_ns;
        int64_t offset_ns;      // local - server
    } samples[CLOCK_MAP_SAMPLES];
    unsigned count;             // taken in all
    int64_t offset_ns;          // the one in force
    uint64_t round_trip_ns;     // of the one in force; UINT64_MAX: a guess
    bool known;
};

// A time that a clock may show: within 130 years of its zero. Others must not be given to the functions below.
bool clock_map_tells(double server_ms);
// A one-way estimate; counts only until the first round trip.
void clock_map_guess(struct clock_map *map, double server_ms, uint64_t local_ns);
// sent_ns, received_ns: this machine's clock; t1_ms, t2_ms: the server's at receipt and at sending.
// Nonsense (received before sent, t2 before t1) is ignored.
void clock_map_sample(struct clock_map *map, uint64_t sent_ns, double t1_ms, double t2_ms, uint64_t received_ns);
// The server's time on this machine's clock; without meaning while the map is not known.
int64_t clock_map_local_ns(const struct clock_map *map, double server_ms);
// The same for what is due then, any number; now_ns while the map is not known. False when that is more than a year
// from now_ns: nothing is due then.
bool clock_map_due(const struct clock_map *map, double server_ms, int64_t now_ns, int64_t *due_ns);
