// What tests of a whole station stand on: one on a virtual clock, and beside it the offline side, which renders and
// encodes the same programme by itself.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose/compose.h"
#include "control/control.h"
#include "encode/encode.h"
#include "station/programme.h"
#include "station/station.h"
#include "timeline/timeline.h"

enum {
    SECOND = FRAME_RATE,
    LEAD = 2 * SECOND,
    AHEAD = LEAD + STATION_RESERVE_FRAMES,
    GUARD = 4 * CHUNK_FRAMES,   // what is compared offline is rendered less far ahead
    SEED = 5,
    STUDIO_MAX_BYTES = 32768,      // of a chunk
    ALL = (1 << FORMAT_COUNT) - 1,
};

struct studio {
    struct clock clock;
    struct timeline *timeline;
    struct sequencer *sequencer;
    struct station *station;
    struct mood mood;
    uint64_t origin_ns;
    uint64_t ahead;     // how far it renders ahead
    bool sinking;       // it was more
};

// The offline side: one programme and one encoder per format, from chunk to chunk.
struct offline {
    struct mood_log log;
    struct program program;
    struct programme *programme;
    void *states[FORMAT_COUNT];
    float pcm[3][CHUNK_FRAMES * CHANNELS];   // before, this, after
    uint64_t frame;                          // of "this"
};

// On air, with its live playhead at `playhead`.
void studio_begin(struct studio *studio, uint64_t playhead, uint64_t lead);
// Likewise; sleep_ns: as in struct station_config. And asleep.
void studio_begin_sleepy(struct studio *studio, uint64_t playhead, uint64_t lead, uint64_t sleep_ns);
void studio_begin_asleep(struct studio *studio, uint64_t playhead, uint64_t lead, uint64_t sleep_ns);
// All formats are listened to from frame 0 on.   Returns the offline side at frame 0.
struct offline *studio_begin_with_all(struct studio *studio);
void studio_end(struct studio *studio);

uint64_t studio_rendered(struct studio *studio);
uint64_t studio_playhead(const struct studio *studio);
// How far it is to have rendered by now; and whether it has.
uint64_t studio_expected_frontier(const struct studio *studio);
bool studio_at_frontier(struct studio *studio);
// Moves time on by a chunk, once the station is done with what was due.
void studio_step(struct studio *studio);
// Waits for a chunk that knows of a change.
void studio_await_knowing(struct studio *studio, enum format format, uint32_t generation, uint64_t frame);
// Follows the live playhead chunk by chunk up to `until` and compares all formats in `formats` from `from` on.
void studio_follow(struct studio *studio, struct offline *offline, unsigned formats, uint64_t from, uint64_t until);
// The chunk in the timeline is what the offline side makes of the chunk it stands at.
//   is_published: else it is encoded, and nothing is compared.
void studio_assert_chunk(struct studio *studio, struct offline *offline, enum format format, bool is_published);
// The one after `record`. False when there is none.
bool studio_next_event(struct timeline *timeline, struct event_record *record);

struct offline *offline_new(const struct mood *mood);
void offline_free(struct offline *offline);
// Stands at a chunk, with what comes before and after it.
void offline_begin(struct offline *offline);
void offline_begin_at(struct offline *offline, uint64_t frame);
void offline_step(struct offline *offline);
// Returns the bytes of the chunk it stands at; each chunk once, in order.
//   bytes: STUDIO_MAX_BYTES.   packet_bytes: CHUNK_PACKETS.
size_t offline_encode(struct offline *offline, enum format format, uint8_t *bytes, uint16_t *packet_bytes);
