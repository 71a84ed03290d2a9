// One programme on air: renders ahead of the moment that listeners hear, encodes what is asked for, publishes it.
#pragma once
#include <stdint.h>

#include "base/frames.h"
#include "base/histogram.h"
#include "base/status.h"
#include "control/control.h"
#include "os/clock.h"
#include "synth/backend.h"
#include "timeline/timeline.h"
#include "wire/delivery.h"

struct station_config {
    const char *name;                 // "main"; copied
    uint64_t seed;
    struct mood_log_head head;        // of the control log
    struct mood mood;                 // at frame 0
    uint64_t origin_ns;               // clock time at which frame 0 is heard
    uint64_t lead_frames;             // multiple of 4,800, 1 s .. 60 s; that of the timeline
    const struct clock *clock;
    const struct backend *backend;
    struct timeline *timeline;        // made by station_timeline_create; outlives the station
    struct sequencer *sequencer;      // outlives the station
    const char *keepsakes;            // file of what it leaves behind for the station after it; NULL: nothing
    uint64_t identity;                // by which that one knows it as its own: of programme, build and boot
    uint64_t sleep_ns;                // it sleeps when nobody has listened for so long and has had all that was sent,
                                      // and a waking would not reach back to that; 0: never
    bool asleep;                      // it is asleep already: nobody has anything of it that has not been heard
};

// What a renderer can do wrong: it says so; it does not come back in time; what it gives is no sound.
enum render_failure { RENDER_ERROR, RENDER_DEADLINE, RENDER_NONFINITE, RENDER_FAILURES, RENDER_GOOD = RENDER_FAILURES };

// Measured by the station, read by anybody.
struct station_stats {
    atomic_uint_fast64_t rendered_frames;      // frontier of rendered audio
    atomic_uint_fast64_t covered_frames;       // or of older sound beyond, while something else is made for it
    atomic_uint_fast64_t chunks_rendered;
    atomic_uint_fast64_t chunks_published[FORMAT_COUNT];
    atomic_uint_fast64_t late_chunks;          // rendered after their due time
    atomic_uint_fast64_t splices;              // times that it went back for a control
    atomic_uint_fast64_t wakings;
    atomic_bool asleep;
    atomic_uint_fast64_t woken_ns;             // clock time at which it woke last; 0: it has not
    atomic_uint_fast64_t held_chunks;          // that stood in for music which did not come in time
    atomic_uint_fast64_t render_failures[RENDER_FAILURES];
    atomic_uint_fast64_t faults;               // blocks silenced: not a number
    atomic_uint_fast64_t encode_faults;        // chunks that could not be encoded or had no room
    _Atomic float servo_db;
    struct histogram render_ns;                // of one chunk
    struct histogram splice_ns;                // from a control, or its turn, to the first chunk that it changes
    struct histogram encode_ns[FORMAT_COUNT];  // of one chunk
};

struct station;

enum {
    STATION_RESERVE_FRAMES = FRAME_RATE * 2 / 5,        // rendered beyond what is due, so no chunk is ever waited for
    STATION_LEGACY_AHEAD_FRAMES = FRAME_RATE * 9 / 5,   // old clients hold 1.2 s at most
    STATION_BACK_FRAMES = FRAME_RATE * 12,              // no waking lies further behind the playhead
};

// How far beyond the lead a station renders that was made for a lead: a delivery is due when its first chunk is.
static inline uint64_t station_reserve_frames(uint64_t lead_frames)
{
    return delivery_frames(FORMAT_OPUS, lead_frames) - CHUNK_FRAMES + STATION_RESERVE_FRAMES;
}
// How far ahead it renders.
static inline uint64_t station_ahead_frames(uint64_t lead_frames)
{
    return lead_frames + station_reserve_frames(lead_frames);
}
// A timeline of the right size for a lead.   NULL when memory is short.
struct timeline *station_timeline_create(uint64_t lead_frames);
// Claims its memory and starts its render thread. The first chunk is there within milliseconds when frame 0 is heard
// now; where the programme is under way already, up to eleven minutes of it are rendered first, unless it sleeps.
// Errors: STATUS_MEMORY; STATUS_UNSUPPORTED, STATUS_IO (an encoder's library is not as expected).
MUST_USE enum status station_create(struct station **station, const struct station_config *config);
// Stops the thread. What it published stays readable. Accepts NULL.
void station_destroy(struct station *station);
// Renders for another lead from now on, at most that of its config; memory that is not needed then goes back to the
// system. What is rendered already stays. Any thread.
void station_set_lead(struct station *station, uint64_t lead_frames);
const struct station_stats *station_stats(const struct station *station);
// Bytes of memory claimed for audio, without the timeline; and of these what it keeps to go back to.
size_t station_bytes(const struct station *station);
size_t station_snapshot_bytes(const struct station *station);
