// The front of a station: the sound that is rendered, some way ahead of the live playhead, and how it gets there. Takes
// the controls and goes back to where they take effect, asks for chunks, replaces by a faded hold (hold.h) what does
// not come in time, gives the station up when nothing comes any more and tries again later. The station's thread.
//
// A chunk is replaced when it is heard within half of the lead (the other half is the network's), and at least within
// 1.5 s where the lead allows it, since old clients hold up to 1.2 s.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "compose/compose.h"
#include "station/audio.h"
#include "station/hold.h"
#include "station/station.h"
#include "station/supply.h"

struct front {
    const struct station_config *config;
    struct station_stats *stats;
    struct mood_log log;
    struct program program;
    struct audio audio;
    struct supply supply;
    struct hold *hold;
    uint64_t ahead_frames;           // how far ahead of the playhead it renders
    uint64_t begun_at;               // the playhead when it began: what it renders first cannot be early
    uint64_t filled_until;           // nor what comes before this
    uint64_t told_until;             // events before this have been told
    uint64_t return_from;            // the playhead from which on it may go back again
    uint64_t spliced_from;           // the chunk from which on it made everything again last,
    uint64_t spliced_at;             // and the playhead then; 0: it has not
    uint64_t backed_until;           // so far listeners have sound that it has taken back
    bool leads_over;                 // the next chunk comes behind what stood in for music
    bool armed;                      // it has been ahead since it began: from then on chunks can be missed
    uint64_t held_chunks;            // in a row so far; 0: music comes
    enum timeline_state state;
    uint64_t revive_ns, pause_ns;    // when it is tried again; how long that took to come
};

// config, stats: outlive it.   ready: raised when there may be something to do.
// Errors: STATUS_MEMORY; front_finish is harmless then too.
MUST_USE enum status front_init(struct front *front, const struct station_config *config, struct station_stats *stats,
                                struct wakeup *ready);
void front_finish(struct front *front);
// Begins where all that the outlets need for this playhead will be there.
void front_stand_at(struct front *front, uint64_t playhead);
// Renders another way ahead from now on, at most as far as for the lead of its config.
void front_set_ahead(struct front *front, uint64_t playhead, uint64_t ahead_frames);
// Takes the controls that have come, if it can go back for them now, and takes back what was told of what they change.
// True when they change sound that is there, from the chunk at *chunk_frame on: it is so until front_rewind, which has
// to follow.
bool front_take_controls(struct front *front, uint64_t playhead, uint64_t *chunk_frame);
// Takes back all sound from a chunk on.
void front_rewind(struct front *front, uint64_t chunk_frame);
// One step further, if one can be made.   now_ns: real.   False when there is nothing to do yet.
bool front_advance(struct front *front, uint64_t playhead, uint64_t now_ns);
// All is well: nothing has to be made good.
bool front_is_well(const struct front *front);
// It has been as far ahead as it should be since it stood somewhere.
bool front_is_ahead(const struct front *front);
// Real time until there may be something to do again, if nobody raises `ready`.
uint64_t front_rest_ns(const struct front *front, uint64_t playhead);
// Bytes of memory claimed; and of these what its worker keeps to go back to.
size_t front_bytes(const struct front *front);
size_t front_snapshot_bytes(const struct front *front);
